//! Files, and statements that load them.

const COLUMNS: &str = "(id INT NOT NULL, code VARCHAR(10) NOT NULL DEFAULT 'x', grp INT, day DATE, \
                       note VARCHAR(12) DEFAULT 'none', PRIMARY KEY (id, code)) DEFAULT CHARSET utf8mb4";
const PARTED: &str = "(id INT NOT NULL, code VARCHAR(10) NOT NULL DEFAULT 'x', grp INT, day DATE, \
                      note VARCHAR(12) DEFAULT 'none', KEY (id, code)) DEFAULT CHARSET utf8mb4";

/// Tables of all kinds with the same columns.
pub(super) const TABLES: [(&str, &str); 7] = [
    ("one", COLUMNS),
    ("copies", COLUMNS),
    ("hashed", COLUMNS),
    ("coded", COLUMNS),
    ("parted", PARTED),
    ("dated", PARTED),
    ("listed", COLUMNS),
];

pub(super) struct Case {
    pub(super) name: &'static str,
    /// `{T}` is the table.
    pub(super) statement: &'static str,
    pub(super) file: &'static [u8],
    /// Statements in front of it.
    pub(super) before: &'static [&'static str],
    /// Tables for which it is refused.
    pub(super) refused: &'static [&'static str],
    /// Tables for which it is run. Empty: all but `listed`.
    pub(super) tables: &'static [&'static str],
}

impl Case {
    pub(super) fn suits(&self, table: &str) -> bool {
        match self.tables {
            [] => table != "listed",
            tables => tables.contains(&table),
        }
    }
}

const fn case(name: &'static str, statement: &'static str, file: &'static [u8]) -> Case {
    Case { name, statement, file, before: &[], refused: &[], tables: &[] }
}

const SPLIT: &[&str] = &["copies", "hashed", "coded", "parted", "dated"];
const KEYED: &[&str] = &["hashed", "coded", "parted", "dated"];
const UNIQUE: &[&str] = &["one", "copies", "hashed", "coded"];

const PLAIN: &[u8] =
    b"1\ta\t1\t2024-01-05\tfirst\n2\tb\t2\t2024-02-05\tsecond\n3\tc\t3\t2024-03-05\t\
                       third\n4\td\t4\t2024-01-06\tfourth\n5\te\t\\N\t2024-05-31\t\\N\n";
const CSV: &[u8] = b"id,code,grp,day,note\r\n1,\"a,b\",1,2024-01-05,\"say \"\"hi\"\"\"\r\n\
                     2,b,2,2024-02-05,NULL\r\n3,\"c\",3,2024-03-05,\"NULL\"\r\n\
                     4,d,4,2024-04-05,\"two\r\nlines\"\r\n5,e,5,2024-05-05,last";

pub(super) static CASES: &[Case] = &[
    case("tabs", "LOAD DATA LOCAL INFILE '/x/y.txt' INTO TABLE {T}", PLAIN),
    case("an empty file", "LOAD DATA LOCAL INFILE 'e' INTO TABLE {T}", b""),
    case(
        "csv",
        "LOAD DATA LOCAL INFILE 'c.csv' INTO TABLE {T} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' \
         OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n' IGNORE 1 LINES",
        CSV,
    ),
    case(
        "columns",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (day, id, grp, code)",
        b"2024-01-01,1,1,a\n2024-02-01,2,2,b\n2024-03-01,3,3,c\n",
    ),
    case(
        "variables",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (day, @v, @w, code, grp) \
         SET id = @v, note = UPPER(CONCAT(@w, '-', id))",
        b"2024-01-01,1,x,a,1\n2024-02-01,2,y,b,1\n2024-03-01,3,\\N,c,2\n2024-02-02,4,z,d,3\n",
    ),
    case(
        "a constant key",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (code, grp, day) \
         SET id = 7, note = @v",
        b"a,1,2024-01-01\nb,2,2024-02-01\n",
    ),
    case(
        "a key of constants",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (code, grp, day) \
         SET id = @w + 1",
        b"a,1,2024-01-01\nb,2,2024-02-01\n",
    ),
    Case {
        refused: &["hashed", "parted", "dated"],
        ..case(
            "a key that is computed",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (@v, code, grp, day) \
             SET id = @v + 1",
            b"1,a,1,2024-01-01\n2,b,2,2024-02-01\n",
        )
    },
    Case {
        refused: SPLIT,
        ..case(
            "a variable that counts",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, grp, day) \
             SET note = @w := @w + 1",
            b"1,a,1,2024-01-01\n2,b,2,2024-02-01\n",
        )
    },
    Case {
        refused: SPLIT,
        ..case(
            "rows of fixed size",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY '' (id, code)",
            b"1          a         \n2          b         \n",
        )
    },
    case(
        "too few and too many fields",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, grp, day, note)",
        b"1,a,1,2024-01-01\n2,b,2,2024-02-01,two,more\n3,c,3,2024-03-01,three\n4,d,4,2024-03-02\n",
    ),
    case(
        "starting by",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY '||' LINES STARTING BY 'xx' \
         TERMINATED BY ';;' (id, code, grp, day)",
        b"junk xx1||a||1||2024-01-01;;no;;xx2||b;b|c||2||2024-02-01;;nothing",
    ),
    Case {
        // It has no day.
        refused: &["dated"],
        ..case(
            "escapes",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS ESCAPED BY '!' (id, code, grp, day, note)",
            b"1\ta!\tb\t1\t2024-01-01\tx!ny\n2\tb!\nc\t!N\t2024-02-01\t!!\n3\t!N!\t3\t2024-03-01\\\tN\n",
        )
    },
    Case {
        before: &["SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')"],
        ..case(
            "no escapes",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} (id, code, grp, day, note)",
            b"1\ta\\\t1\t2024-01-01\t\\N\n2\tb\t2\t2024-02-01\t\\\\\n",
        )
    },
    Case { before: &["SET sql_mode = DEFAULT"], ..case("modes again", "DO 1", b"") },
    case(
        "long and bad values",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, grp, day, note)",
        b"1,a,abc,2024-01-01,much too long a note\n99999999999,b,2,2024-02-01,\n12abc,c,1,2024-01-01,x\n\
          abc,d,1,2024-01-01,y\n,e,1,2024-01-01,z\n-3 ,a code of many letters,1,2024-01-02,z\n 8,f,1,\
          2024-01-02,z\n+9,g,1,2024-01-02,z\n\\N,h,1,2024-01-02,n\n",
    ),
    Case {
        refused: &["hashed", "parted", "dated"],
        ..case(
            "a key with a fraction",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, grp, day)",
            b"1,a,1,2024-01-01\n2.5,b,2,2024-02-01\n",
        )
    },
    Case {
        tables: UNIQUE,
        ..case(
            "duplicates",
            "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, note)",
            b"1,a,one\n2,b,two\n1,a,again\n3,A,three\n3,a,more\n2,b,last\n",
        )
    },
    Case {
        tables: UNIQUE,
        before: &["INSERT INTO {T} (id, code, note) VALUES (1, 'a', 'old'), (9, 'z', 'old')"],
        ..case(
            "replace",
            "LOAD DATA LOCAL INFILE 'c' REPLACE INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, note)",
            b"1,a,one\n2,b,two\n1,a,again\n3,c,three\n",
        )
    },
    Case {
        tables: UNIQUE,
        ..case(
            "replace with a bad value",
            "LOAD DATA LOCAL INFILE 'c' REPLACE INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code, grp)",
            b"1,a,1\n2,b,2\n3,c,x3\n4,d,4\n",
        )
    },
    case(
        "letters beyond ASCII",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' (id, \
         code, grp, day, note)",
        "1,ä,1,2024-01-01,ß\n2,€uro,2,2024-02-01,日本\n3,😀,3,2024-03-01,x\n".as_bytes(),
    ),
    case(
        "latin1",
        "LOAD DATA LOCAL INFILE 'c' INTO TABLE {T} CHARACTER SET latin1 FIELDS TERMINATED BY ',' (id, \
         code, grp, day, note)",
        b"1,\xe4,1,2024-01-01,\xdf\n2,\x80,2,2024-02-01,\xe9\n",
    ),
    Case {
        before: &["BEGIN", "INSERT INTO {T} (id, code, grp, day) VALUES (8, 'h', 1, '2024-01-01')"],
        ..case("inside a transaction", "LOAD DATA LOCAL INFILE 't' INTO TABLE {T}", PLAIN)
    },
    Case {
        before: &["SET autocommit = 0"],
        ..case("without autocommit", "LOAD DATA LOCAL INFILE 't' INTO TABLE {T}", PLAIN)
    },
    case("no such column", "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} (id, code, grp, day, x)", PLAIN),
    case("no such table", "LOAD DATA LOCAL INFILE 't' INTO TABLE nowhere", PLAIN),
    case(
        "two bytes that enclose",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} FIELDS ENCLOSED BY 'ab'",
        PLAIN,
    ),
    Case {
        refused: KEYED,
        ..case(
            "rows without their key",
            "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} FIELDS TERMINATED BY ',' (note, grp)",
            b"a,1\n",
        )
    },
    Case {
        tables: &["listed"],
        refused: &["listed"],
        ..case(
            "a key that no shard takes",
            "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} FIELDS TERMINATED BY ',' (id, code)",
            b"1,a\n2,b\n3,c\n4,d\n",
        )
    },
    case(
        "more lines to pass over than there are",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} IGNORE 9 LINES",
        PLAIN,
    ),
    case(
        "other words and digits",
        "LOAD DATA CONCURRENT LOCAL INFILE 't' IGNORE INTO TABLE shop.{T} COLUMNS TERMINATED BY 0x7c \
         ENCLOSED BY 0x27 LINES TERMINATED BY 0x3b IGNORE 1 ROWS (id, code, grp, day)",
        b"head;1|'a''b'|'1'|'2024-01-01';'2'|b|2|2024-02-01;",
    ),
    case(
        "quotes that escape",
        "LOAD DATA LOW_PRIORITY LOCAL INFILE 't' INTO TABLE {T} FIELDS TERMINATED BY ',' ENCLOSED BY '\"' \
         ESCAPED BY '\"' (id, code, grp, day, note)",
        b"\"1\",\"a\"\"b\",1,2024-01-01,\"x\\n\"\n2,\"b\nc\",2,2024-02-01,\"\"N\n",
    ),
    case(
        "bytes of no character set",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} CHARACTER SET binary FIELDS TERMINATED BY ',' (id, \
         code, grp, day, note)",
        "1,ä,1,2024-01-01,ß\n2,b,2,2024-02-01,\u{65e5}\n".as_bytes(),
    ),
    case(
        "a partition of a table that has none",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} PARTITION (p0) (id, code, grp, day)",
        PLAIN,
    ),
    case(
        "no such character set",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} CHARACTER SET klingon (id, code, grp, day)",
        PLAIN,
    ),
    case(
        "a clock for all rows",
        "LOAD DATA LOCAL INFILE 't' INTO TABLE {T} (id, code, grp, day, @v) SET note = LENGTH(@v)",
        PLAIN,
    ),
];
