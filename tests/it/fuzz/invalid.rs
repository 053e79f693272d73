//! Statements with a mistake: the error must be the server's.

use super::generator::Generator;
use super::tree::Node;

/// `{a}` and `{b}` stand for tables, `{many}` for one with several rows.
const TEMPLATES: [&str; 34] = [
    "SELECT nosuch FROM {a}",
    "SELECT {a}.nosuch FROM {a}",
    "SELECT x.id FROM {a}",
    "SELECT id FROM {a} WHERE nosuch = 1",
    "SELECT id FROM {a} ORDER BY nosuch",
    "SELECT id FROM {a} GROUP BY nosuch",
    "SELECT x.id FROM {a} x JOIN {b} y ON x.id = y.nosuch",
    "SELECT id FROM {a} x, {b} y",
    "SELECT x.id FROM {a} x JOIN {b} y ON id = 3",
    "SELECT x.id FROM {a} x JOIN {b} y USING (nosuch)",
    "SELECT x.id FROM {a} x, {b} x",
    "SELECT (SELECT id, grp FROM {a} WHERE id = 1)",
    "SELECT x.id, (SELECT y.id, y.grp FROM {b} y WHERE y.id = x.id) FROM {a} x",
    "SELECT x.id, (SELECT y.id FROM {many} y) FROM {many} x",
    "SELECT id FROM {many} WHERE id = (SELECT id FROM {many})",
    "SELECT id FROM {a} WHERE (id, grp) IN (SELECT id FROM {b})",
    "SELECT id FROM {a} WHERE id IN (SELECT id, grp FROM {b})",
    "SELECT id FROM {a} UNION SELECT id, grp FROM {b}",
    "SELECT id FROM {a} UNION ALL SELECT id FROM {b} ORDER BY grp",
    "SELECT id FROM {a} ORDER BY 9",
    "SELECT * FROM (SELECT x.id, y.id FROM {a} x JOIN {b} y ON x.id = y.id) d",
    "SELECT * FROM (SELECT id FROM {a})",
    "SELECT id FROM {a} WHERE COUNT(*) > 1",
    "SELECT COUNT(*) FROM {a} GROUP BY COUNT(*)",
    "SELECT COUNT(COUNT(*)) FROM {a}",
    "SELECT NOSUCHFUNCTION(id) FROM {a}",
    "SELECT * FROM nosuch_table JOIN {a} ON 1 = 1",
    "SELECT ABS(id, 2) FROM {a}",
    "SELECT id FROM {a} LIMIT -1",
    "SELECT id FROM {a} WHERE ROW_NUMBER() OVER () = 1",
    "SELECT RANK() OVER nosuch FROM {a}",
    "SELECT * FROM {a} x JOIN {b} y ON z.id = x.id",
    "SELECT x.id FROM {a} x WHERE EXISTS (SELECT 1 FROM {b} y WHERE y.id = x.nosuch)",
    "WITH e AS (SELECT id FROM {a}) SELECT e.grp FROM e",
];

/// Mistakes under ONLY_FULL_GROUP_BY, which MySQL has and MariaDB has not.
const FULL_GROUP_BY: [&str; 5] = [
    "SELECT id, COUNT(*) FROM {a}",
    "SELECT ref FROM {a} GROUP BY grp",
    "SELECT grp, SUM(id) + ref FROM {a} GROUP BY grp",
    "SELECT x.grp, y.ref FROM {a} x JOIN {b} y ON x.id = y.id GROUP BY x.grp",
    "SELECT DISTINCT grp FROM {a} ORDER BY ref",
];

pub(super) fn statement(generator: &mut Generator<'_>) -> Node {
    let template = if generator.is_mysql() && generator.random.chance(20) {
        *generator.random.pick(&FULL_GROUP_BY)
    } else {
        *generator.random.pick(&TEMPLATES)
    };
    let tables = generator.tables;
    let a = generator.random.pick(tables);
    let b = generator.random.pick(tables);
    let many = tables.iter().max_by_key(|table| table.rows.len()).unwrap_or(a);
    template.replace("{a}", &a.name).replace("{b}", &b.name).replace("{many}", &many.name).into()
}
