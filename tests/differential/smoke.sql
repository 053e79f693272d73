-- A first look.
DROP TABLE IF EXISTS smoke;
CREATE TABLE smoke (id INT PRIMARY KEY, name VARCHAR(20) COLLATE {ai_ci});
INSERT INTO smoke VALUES (1, 'a'), (2, 'b'), (3, NULL);
SELECT * FROM smoke;
SELECT * FROM smoke WHERE id = 2;
-- error 1062
INSERT INTO smoke VALUES (1, 'dup');
-- error 1064
SELEC 1;
DROP TABLE smoke;
