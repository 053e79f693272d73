//! Plans of LOAD DATA LOCAL: a file passes on to one server as it is, or its rows are told apart, since they
//! go to several tables, or are copied to several.

use std::sync::Arc;

use super::condition;
use super::facts::{Column, Columns, Stop};
use super::functions::{self, Nature};
use super::holds::Holds;
use super::ids::no_rule;
use super::insert::{broadcast_id, same_everywhere, unsupported};
use super::model::{Analysis, Scope, same_name};
use super::names::{Env, Reader};
use super::planner::{Context, forced, names_table, place};
use super::splice::{Splice, quoted, text_piece, untouched};
use super::template::Template;
use super::types::{Insert, InsertIds, Load, LoadValue, Operand, Place, Split};
use crate::catalog::{Sharded, Table, TableKind};
use crate::error::{Error, ErrorKind, ServerError};
use crate::sql::Statement;
use crate::sql::delimited::{Delimiters, Trouble};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::load::{LoadData, LoadTarget};
use crate::sql::span::Span;
use crate::sql::statement::ColumnAssignment;

pub(super) fn plan(
    load: &LoadData,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Load, Stop> {
    if let Some(shard) = forced(statement, context)? {
        return Ok(Load {
            table: None,
            file: load.file.clone(),
            place: Place { forced: Some(shard), ..Place::default() },
            head: untouched(text, 0),
            tail: None,
            split: None,
        });
    }
    let apart = |kind: &TableKind| !matches!(kind, TableKind::Single { .. });
    let mut reader = Reader::new(context, text, names_table(statement, context, apart));
    read(&mut reader, load)?;
    let found = reader.finish()?;
    let Some(table) = found.uses.first().map(|used| Arc::clone(&used.table)) else {
        return Err(unsupported("writing to a system table is not supported"));
    };
    let is_one = match &table.kind {
        TableKind::Single { .. } => true,
        TableKind::Broadcast { shards } => shards.len() <= 1,
        TableKind::Sharded(sharded) => {
            sharded.shards.len() <= 1 && sharded.parts.is_none() && sharded.id.is_none()
        }
    };
    let columns = found.uses.first().and_then(|used| used.columns.clone());
    if is_one {
        let place = place(&found, &found.groups(), context)?;
        return Ok(whole(load, text, &found, place, table));
    }
    let Some(columns) = columns else {
        return Err(Error::internal("the columns of a loaded table were not fetched").into());
    };
    let draft = Draft { load, text, found: &found, table: &table, columns: &columns };
    draft.plan()
}

/// One server reads the file as it is.
fn whole(
    load: &LoadData,
    text: &[u8],
    found: &Analysis<'_>,
    place: Place,
    table: Arc<Table>,
) -> Load {
    let splice = Splice::base(text, found, false);
    let (head, tail) = halves(&splice, load, text);
    Load { table: Some(table), file: load.file.clone(), place, head, tail, split: None }
}

/// The statement up to where CHARACTER SET stands; what follows, if it says none.
fn halves(splice: &Splice<'_>, load: &LoadData, text: &[u8]) -> (Template, Option<Template>) {
    let all = Span::new(0, text.len());
    if load.charset.is_some() {
        return (splice.template(all), None);
    }
    let before = Span { start: 0, end: load.table_end };
    let behind = Span { start: load.table_end, end: all.end };
    // A list of columns may be put in there, which stands behind CHARACTER SET.
    let head = splice.made_of(splice.expr(before));
    (head, Some(splice.template(behind)))
}

fn read<'a>(reader: &mut Reader<'_, 'a>, load: &'a LoadData) -> Result<(), Stop> {
    let mut scope = Scope::default();
    let env = Env::top();
    reader.table(&load.table, None, None, &mut scope, env)?;
    for assignment in &load.assignments {
        reader.target(&assignment.column, &scope);
        reader.expr_in(&assignment.value, &scope, env)?;
    }
    Ok(())
}

/// A file whose rows are told apart.
struct Draft<'x, 'a> {
    load: &'x LoadData,
    text: &'a [u8],
    found: &'x Analysis<'a>,
    table: &'x Arc<Table>,
    columns: &'x Columns,
}

impl Draft<'_, '_> {
    fn plan(&self) -> Result<Load, Stop> {
        let delimiters = self.delimiters()?;
        self.check_assignments()?;
        let names = self.names();
        let insert = match &self.table.kind {
            TableKind::Sharded(sharded) => self.insert(sharded)?,
            TableKind::Broadcast { .. } | TableKind::Single { .. } => self.bare_insert(),
        };
        let ids = self.ids()?;
        let id = match &ids {
            Some(ids) => self.value(&ids.column)?,
            None => None,
        };
        if let (Some(ids), Some(LoadValue::Given(_))) = (&ids, &id)
            && ids.maker.is_some()
        {
            return Err(self.refuse(
                "takes no SET of the column that gets generated ids; load it from a field, or leave it out",
            ));
        }
        let (mut key, mut part_key) = (None, None);
        if let TableKind::Sharded(sharded) = &self.table.kind {
            key = self.key(&sharded.key, ids.as_ref())?;
            if let Some(parts) = &sharded.parts {
                part_key = self.key(&parts.key, ids.as_ref())?;
            }
        }
        let mut splice = Splice::base(self.text, self.found, false);
        if let Some(skip) = &self.load.skip {
            splice.replace(skip.span, Vec::new());
        }
        let adds_id = ids.as_ref().filter(|ids| id.is_none() && ids.maker.is_some());
        if adds_id.is_some() && delimiters.number(0).is_none() {
            return Err(unsupported(format!(
                "LOAD DATA into `{}`, which gets generated ids, with a digit that ends, encloses or \
                 escapes fields is not supported; take another character",
                self.table.name
            )));
        }
        self.name_columns(&mut splice, &names, adds_id);
        let (head, tail) = halves(&splice, self.load, self.text);
        let insert = Insert { ids, ..insert };
        Ok(Load {
            table: Some(Arc::clone(self.table)),
            file: self.load.file.clone(),
            place: Place::default(),
            head,
            tail,
            split: Some(Box::new(Split {
                delimiters,
                fields: names.len(),
                skip: self.load.skip.map_or(0, |skip| skip.lines),
                charset: self.load.charset.clone(),
                insert,
                key,
                part_key,
                id,
            })),
        })
    }

    /// Rows go to several tables: why they are not told apart or placed, and the way out.
    fn refuse(&self, what: &str) -> Stop {
        unsupported(format!(
            "LOAD DATA into `{}`, whose rows are on several shards, {what}",
            self.table.name
        ))
    }

    fn delimiters(&self) -> Result<Delimiters, Stop> {
        let format = &self.load.format;
        Delimiters::new(format).map_err(|trouble| match trouble {
            Trouble::Malformed => Error::server(ServerError {
                code: 1083,
                state: *b"42000",
                message: b"Field separator argument is not what is expected; check the manual"
                    .to_vec(),
            })
            .into(),
            Trouble::Open if format.fields.is_empty() => self.refuse(
                "takes no fields that nothing ends, whose widths depend on the columns; give FIELDS \
                 TERMINATED BY",
            ),
            Trouble::Open => self.refuse(
                "takes no lines that nothing of their own ends; give LINES TERMINATED BY, and not what \
                 ends fields",
            ),
            Trouble::Wide => {
                self.refuse("takes no delimiters beyond ASCII; take ASCII characters for them")
            }
        })
    }

    /// Rows are read by several servers, so that one must not depend on another.
    fn check_assignments(&self) -> Result<(), Stop> {
        if self.found.uses.len() > 1 || self.found.system {
            return Err(
                self.refuse("takes no subquery in SET; load the file, then UPDATE the table")
            );
        }
        let mut assigns = false;
        for assignment in &self.load.assignments {
            assignment.value.walk(&mut |node| {
                assigns |= node.assigned().is_some();
                assigns |= !node.queries().is_empty();
            });
        }
        if assigns {
            return Err(self.refuse(
                "takes no subquery in SET, and no variable that is assigned there; load the file, then \
                 UPDATE the table",
            ));
        }
        if matches!(self.table.kind, TableKind::Broadcast { .. }) {
            same_everywhere(self.found, &self.table.name)?;
        }
        Ok(())
    }

    /// What the fields of a row are for; variables have no names.
    fn names(&self) -> Vec<Option<&str>> {
        if self.load.targets.is_empty() {
            let visible = self.columns.columns.iter().filter(|column| !column.invisible);
            return visible.map(|column| Some(column.name.as_str())).collect();
        }
        let name = |target: &LoadTarget| -> Option<&str> {
            match target {
                LoadTarget::Column(name) => {
                    let found = self.column(&name.value);
                    found.map(|column| column.name.as_str())
                }
                LoadTarget::Variable(_) => None,
            }
        };
        self.load.targets.iter().map(name).collect()
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.columns.iter().find(|column| same_name(&column.name, name))
    }

    /// Writes the columns out that fields are for if there is no list: rows were placed by them.
    fn name_columns(
        &self,
        splice: &mut Splice<'_>,
        names: &[Option<&str>],
        adds_id: Option<&InsertIds>,
    ) {
        let added = adds_id.map(|ids| quoted(&ids.column));
        let at = self.load.targets_at;
        if !self.load.targets.is_empty() {
            if let Some(added) = added {
                splice.insert(at, vec![text_piece(&format!("{added}, "))]);
            }
            return;
        }
        let is_id = |name: &str| adds_id.is_some_and(|ids| same_name(&ids.column, name));
        let names = names.iter().flatten().filter(|name| !is_id(name)).map(|name| quoted(name));
        let list = added.into_iter().chain(names).collect::<Vec<_>>().join(", ");
        let list = if self.load.has_list { list } else { format!(" ({list})") };
        splice.insert(at, vec![text_piece(&list)]);
    }

    fn bare_insert(&self) -> Insert {
        Insert {
            table: Arc::clone(self.table),
            key_class: None,
            part_class: None,
            key_holds: None,
            part_holds: None,
            head: Template::default(),
            rows: Vec::new(),
            tail: Template::default(),
            ids: None,
            upsert: None,
        }
    }

    /// An INSERT without rows into the table.
    fn insert(&self, sharded: &Sharded) -> Result<Insert, Stop> {
        let known = |key: &str| {
            self.column(key).ok_or_else(|| {
                let message = format!(
                    "table `{}` has no column `{key}`, the key that its rule names",
                    self.table.name
                );
                Stop::from(Error::new(ErrorKind::Config, message))
            })
        };
        let key = known(&sharded.key)?;
        let part = sharded.parts.as_ref().map(|parts| known(&parts.key)).transpose()?;
        Ok(Insert {
            key_class: Some(key.class.clone()),
            part_class: part.map(|part| part.class.clone()),
            key_holds: Some(Holds::of(key)),
            part_holds: part.map(Holds::of),
            ..self.bare_insert()
        })
    }

    /// The column whose values are generated, or must not be by the shards.
    fn ids(&self) -> Result<Option<InsertIds>, Stop> {
        let sharded = self.table.sharded();
        if let Some((sharded, rule)) =
            sharded.and_then(|sharded| Some((sharded, sharded.id.as_ref()?)))
        {
            let ids = InsertIds::of_rule(rule, self.table, self.columns)?;
            let parts = sharded.parts.as_ref();
            return Ok(Some(InsertIds {
                is_key: same_name(&ids.column, &sharded.key),
                is_part_key: parts.is_some_and(|parts| same_name(&ids.column, &parts.key)),
                ignore: true,
                ..ids
            }));
        }
        let Some(counted) = self.columns.columns.iter().find(|column| column.auto_increment) else {
            return Ok(None);
        };
        if self.value(&counted.name)?.is_none() {
            return Err(match sharded {
                Some(_) => no_rule(&counted.name, &self.table.name),
                None => broadcast_id(&counted.name, &self.table.name),
            }
            .into());
        }
        Ok(Some(InsertIds::refused(counted)))
    }

    /// The value of a sharding key. None: it is the generated id.
    fn key(&self, key: &str, ids: Option<&InsertIds>) -> Result<Option<LoadValue>, Stop> {
        match self.value(key)? {
            None if ids.is_some_and(|ids| same_name(&ids.column, key)) => Ok(None),
            None => Err(unsupported(format!(
                "LOAD DATA into `{}` does not load the sharding key `{key}`; add it to the columns",
                self.table.name
            ))),
            value => Ok(value),
        }
    }

    /// What a column gets. None: its default.
    fn value(&self, column: &str) -> Result<Option<LoadValue>, Stop> {
        let is_it = |item: &&ColumnAssignment| same_name(&item.column.name.value, column);
        if let Some(assignment) = self.load.assignments.iter().rev().find(is_it) {
            return self.assigned(&assignment.value, column).map(Some);
        }
        let position =
            self.names().iter().position(|name| name.is_some_and(|it| same_name(it, column)));
        Ok(position.map(LoadValue::Field))
    }

    /// What SET gives a column.
    fn assigned(&self, value: &Expr, column: &str) -> Result<LoadValue, Stop> {
        let is_loaded = |name: &str| {
            let is_it = |target: &LoadTarget| matches!(target, LoadTarget::Variable(other) if other.eq_ignore_ascii_case(name));
            self.load.targets.iter().rposition(is_it)
        };
        if let ExprKind::UserVariable(name) = &value.kind
            && let Some(position) = is_loaded(name)
        {
            return Ok(LoadValue::Field(position));
        }
        if let Some(operand) = condition::operand(value) {
            return Ok(LoadValue::Given(operand));
        }
        let mut varies = false;
        value.walk(&mut |node| {
            varies |= match &node.kind {
                ExprKind::Column(_) | ExprKind::Default | ExprKind::SystemVariable(_) => true,
                ExprKind::UserVariable(name) => is_loaded(name).is_some(),
                ExprKind::Function(function) => {
                    let nature = functions::nature(&function.name, function.args.len());
                    nature != Nature::Pure
                }
                _ => false,
            };
        });
        if varies {
            return Err(unsupported(format!(
                "LOAD DATA into `{}` computes `{column}`, by which rows are placed, from row to row; \
                 load its value as a field of its own, into the column or into a variable that SET \
                 assigns to it as it is",
                self.table.name
            )));
        }
        let text = self.text.get(value.span.range()).unwrap_or_default();
        Ok(LoadValue::Given(Operand::Computed(text.to_vec())))
    }
}
