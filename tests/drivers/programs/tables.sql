SET NAMES utf8mb4;
DROP TABLE IF EXISTS orders, people, kinds, countries;
CREATE TABLE countries (code CHAR(2) PRIMARY KEY, name VARCHAR(50) NOT NULL) DEFAULT CHARSET utf8mb4;
CREATE TABLE people (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, country CHAR(2), born DATE, balance DECIMAL(12, 2),
  KEY by_name (name)
) DEFAULT CHARSET utf8mb4;
CREATE TABLE orders (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, person_id BIGINT NOT NULL, total DECIMAL(12, 2) NOT NULL, placed DATETIME NOT NULL,
  KEY by_person (person_id)
) DEFAULT CHARSET utf8mb4;
CREATE TABLE kinds (
  id BIGINT NOT NULL PRIMARY KEY,
  c_tiny TINYINT, c_small SMALLINT UNSIGNED, c_medium MEDIUMINT, c_int INT UNSIGNED, c_big BIGINT UNSIGNED,
  c_decimal DECIMAL(30, 10), c_float FLOAT, c_double DOUBLE, c_bit BIT(10),
  c_date DATE, c_datetime DATETIME(6), c_timestamp TIMESTAMP(3) NULL DEFAULT NULL, c_time TIME(2), c_year YEAR,
  c_char CHAR(10), c_varchar VARCHAR(200), c_binary BINARY(4), c_varbinary VARBINARY(100), c_text TEXT, c_blob BLOB,
  c_json JSON, c_enum ENUM('a', 'b', 'c'), c_set SET('x', 'y', 'z')
) DEFAULT CHARSET utf8mb4;
INSERT INTO countries VALUES ('br', 'Brazil'), ('de', 'Germany'), ('fr', 'France'), ('jp', '日本'), ('us', 'United States');
INSERT INTO kinds VALUES
  (1, -128, 65535, -8388608, 4294967295, 18446744073709551615, -12345678901234567890.0123456789, 1.5, -2.25e-200, b'1000000001',
   '2026-01-31', '2026-01-31 13:45:59.123456', '2026-01-31 13:45:59.123', '-838:59:58.25', 2155,
   'char', 'it''s "quoted" \\ 日本 😀', x'00ff0a27', x'0001feff', 'text', x'deadbeef00', '{"a": [1, 2.5, "x"], "b": null}', 'b', 'x,z'),
  (2, 127, 0, 8388607, 0, 0, 0, 0, 0, b'0', '1000-01-01', '1000-01-01 00:00:00', '1970-01-02 00:00:01', '00:00:00', 1901,
   '', '', x'00000000', '', '', '', '[]', 'a', ''),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 1, 2, 3, 4, 5, 6.7, 8.5, 9.125, b'11', '9999-12-31', '9999-12-31 23:59:59.999999', '2037-12-31 23:59:59', '12:34:56.78', 2000,
   'fixed', 'ÄÖÜ', 'abcd', 'bytes', REPEAT('long ', 5000), REPEAT(x'0102', 5000), '{"n": 12345678901}', 'c', 'x,y,z');
