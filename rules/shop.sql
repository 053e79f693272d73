-- The tables of shop.yaml. `margay demo` creates them through the proxy, `margay explain` reads their
-- columns from here. A sharding key is part of the primary key, or ids are unique by themselves.

CREATE TABLE regions (
  id INT NOT NULL PRIMARY KEY,
  name VARCHAR(40) NOT NULL
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE products (
  id INT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  price DECIMAL(10, 2) NOT NULL
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE users (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  email VARCHAR(120) NOT NULL,
  region_id INT NOT NULL,
  created_at DATETIME NOT NULL
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE comments (
  id BIGINT NOT NULL PRIMARY KEY,
  product_id INT NOT NULL,
  user_id BIGINT NOT NULL,
  stars TINYINT NOT NULL,
  body TEXT NOT NULL,
  KEY (product_id)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE orders (
  id BIGINT NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  status VARCHAR(20) NOT NULL,
  ordered_at DATETIME NOT NULL,
  total DECIMAL(12, 2) NOT NULL,
  KEY (user_id)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE order_items (
  order_id BIGINT NOT NULL,
  line INT NOT NULL,
  user_id BIGINT NOT NULL,
  product_id INT NOT NULL,
  quantity INT NOT NULL,
  price DECIMAL(10, 2) NOT NULL,
  PRIMARY KEY (order_id, line),
  KEY (user_id)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE customers (
  id BIGINT NOT NULL,
  country VARCHAR(2) NOT NULL,
  company VARCHAR(80) NOT NULL,
  PRIMARY KEY (country, id)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE invoices (
  number BIGINT NOT NULL PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  amount DECIMAL(12, 2) NOT NULL,
  due_on DATE NOT NULL
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE audit_log (
  id BIGINT NOT NULL PRIMARY KEY,
  actor VARCHAR(80) NOT NULL,
  action VARCHAR(80) NOT NULL,
  at DATETIME NOT NULL
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE events (
  id BIGINT NOT NULL,
  happened_at DATETIME NOT NULL,
  kind VARCHAR(40) NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (happened_at, id)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE payments (
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  paid_at DATETIME NOT NULL,
  amount DECIMAL(12, 2) NOT NULL,
  method VARCHAR(20) NOT NULL,
  PRIMARY KEY (paid_at, id),
  KEY (user_id)
) DEFAULT CHARSET = utf8mb4;
