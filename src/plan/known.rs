//! Plans that hold for every statement of a shape.
//!
//! Such a plan is made from the statement with its slots [hidden](crate::sql::hide): for the planner they
//! are parameters, whose values it does not know. So it is what would be planned for a prepared
//! statement with parameters in these places, and is right for any values. When it runs, the values come
//! from the text that is run, and so does every byte that is sent.

use smallvec::SmallVec;

use super::facts::Stop;
use super::moves::Moves;
use super::planner::{self, Context};
use super::types::{
    Condition, Insert, InsertRow, LimitOperands, Operand, Place, Plan, Scatter, Select, Unit, Write,
};
use crate::error::Result;
use crate::sql::expr::Literal;
use crate::sql::hide::{FIRST_SLOT, hide};
use crate::sql::shape::{Slot, Slots, alike};
use crate::sql::{Mode, Statement};

/// The plan of a shape.
#[derive(Debug)]
pub struct Known {
    pub plan: Plan,
    /// The statement, its slots hidden.
    pub statement: Statement,
    /// One text of the shape.
    text: Box<[u8]>,
    slots: Slots,
    /// A minus stands in front of the slot.
    signs: Box<[bool]>,
    /// Parameters whose values decide where the statement runs, the client's first.
    wanted: SmallVec<[u16; 4]>,
    schema: Option<Box<str>>,
    mode: Mode,
}

/// What a plan was made without: the text that runs, and the values in it.
#[derive(Debug, Clone, Copy)]
pub struct Hidden<'r> {
    text: &'r [u8],
    slots: &'r [Slot],
    values: &'r Values,
}

/// Values of parameters, as far as they are wanted: of the slots, and of the client's.
#[derive(Debug, Default)]
pub struct Values {
    slots: SmallVec<[Option<Literal>; 2]>,
    params: SmallVec<[Option<Literal>; 2]>,
}

impl Known {
    /// The plan for all statements of the shape of `text`, which `statement` was parsed from. None:
    /// statements of the shape are to be planned one by one.
    ///
    /// # Errors
    /// As those of [`planner::plan`].
    pub fn new(
        text: &[u8],
        mut statement: Statement,
        slots: &Slots,
        context: &Context<'_>,
    ) -> Result<Option<Self>, Stop> {
        if statement.hints.shard.is_some() {
            return Ok(None);
        }
        let Some(signs) = hide(&mut statement, text, slots, context.mode) else { return Ok(None) };
        let mut plan = planner::plan(&statement, text, context)?;
        if !settle(&mut plan) {
            return Ok(None);
        }
        Ok(Some(Self {
            wanted: wanted(&plan),
            plan,
            statement,
            text: text.into(),
            slots: slots.clone(),
            signs,
            schema: context.schema.map(Box::from),
            mode: context.mode,
        }))
    }

    /// The plan is right for a text whose slots are these.
    pub fn fits(&self, text: &[u8], slots: &[Slot], schema: Option<&str>, mode: Mode) -> bool {
        self.mode == mode
            && self.schema.as_deref() == schema
            && alike((&self.text, &self.slots), (text, slots))
    }

    /// The values that decide where a text of the shape runs; `given` tells those of the client's
    /// parameters.
    ///
    /// # Errors
    /// Those of `given`.
    pub fn values(
        &self,
        text: &[u8],
        slots: &[Slot],
        given: impl Fn(u16) -> Result<Option<Literal>>,
    ) -> Result<Values> {
        let mut values = Values::default();
        for param in &self.wanted {
            let (list, index, value) = match param.checked_sub(FIRST_SLOT) {
                Some(index) => (&mut values.slots, index, self.value(index, text, slots)),
                None => (&mut values.params, *param, given(*param)?),
            };
            // They come in order.
            list.resize(usize::from(index), None);
            list.push(value);
        }
        Ok(values)
    }

    /// The value of a slot by its index.
    fn value(&self, index: u16, text: &[u8], slots: &[Slot]) -> Option<Literal> {
        let negative = *self.signs.get(usize::from(index))?;
        Some(slots.get(usize::from(index))?.value(text, self.mode, negative))
    }

    /// The value in a text that a parameter of [`Known::statement`] stands for. None: it is one of the
    /// client's.
    pub fn hidden(&self, param: u16, text: &[u8], slots: &[Slot]) -> Option<Literal> {
        self.value(param.checked_sub(FIRST_SLOT)?, text, slots)
    }

    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        // A tree and a plan have some nodes for each word.
        4096 + self.text.len() * 16 + self.slots.len() * size_of::<Slot>()
    }
}

impl<'r> Hidden<'r> {
    pub fn new(text: &'r [u8], slots: &'r [Slot], values: &'r Values) -> Self {
        Self { text, slots, values }
    }

    /// The whole statement.
    pub(super) fn text(&self) -> &'r [u8] {
        self.text
    }

    /// What stands in the place of a parameter.
    pub(super) fn slot(&self, param: u16) -> Option<&'r [u8]> {
        let slot = self.slots.get(usize::from(param.checked_sub(FIRST_SLOT)?))?;
        self.text.get(slot.span.range())
    }

    /// The value of a parameter, if it decides where the statement runs.
    pub(super) fn value(&self, param: u16) -> Option<&'r Literal> {
        let (list, index) = match param.checked_sub(FIRST_SLOT) {
            Some(index) => (&self.values.slots, index),
            None => (&self.values.params, param),
        };
        list.get(usize::from(index))?.as_ref()
    }
}

/// Takes out of a plan what was made of one text alone. False: there is nothing left to keep.
fn settle(plan: &mut Plan) -> bool {
    match plan {
        Plan::Select(select) => {
            select.source = None;
            match &mut select.scatter {
                Ok(scatter) => scatter.notes = Vec::new(),
                Err(refusal) => refusal.message = String::new(),
            }
            select.place.forced.is_none()
        }
        Plan::Write(write) => {
            write.source = None;
            // What a copy would generate is seen in the values themselves.
            write.broadcast.is_none() && write.place.forced.is_none()
        }
        // Rows in the way are updated by a text of their own.
        Plan::Insert(insert) => insert.upsert.is_none(),
        Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => false,
    }
}

/// The parameters that decide where a plan runs or how much of it, in order.
fn wanted(plan: &Plan) -> SmallVec<[u16; 4]> {
    // All fields are named, so that a new one is thought of here.
    let mut found = SmallVec::new();
    match plan {
        Plan::Select(select) => {
            let Select { place, route: _, scatter, primary: _, source: _ } = select.as_ref();
            self::place(place, &mut found);
            if let Ok(Scatter { template: _, merge: _, limit, columns: _, notes: _ }) = scatter
                && let Some(LimitOperands { rows, offset, pushed: _ }) = limit
            {
                operand(rows, &mut found);
                offset.iter().for_each(|offset| operand(offset, &mut found));
            }
        }
        Plan::Write(write) => {
            let Write { place, template: _, several: _, broadcast: _, source: _, moves } = write;
            self::place(place, &mut found);
            let moves = moves.iter().flat_map(Moves::values);
            moves.for_each(|it| operand(it, &mut found));
        }
        Plan::Insert(insert) => {
            let Insert {
                table: _,
                key_class: _,
                part_class: _,
                key_holds: _,
                part_holds: _,
                head: _,
                rows,
                tail: _,
                ids: _,
                upsert: _,
            } = insert;
            for InsertRow { key, part_key, id, template: _ } in rows {
                [key, part_key, id].into_iter().flatten().for_each(|it| operand(it, &mut found));
            }
        }
        Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn place(place: &Place, found: &mut SmallVec<[u16; 4]>) {
    let Place { units, singles: _, broadcasts: _, forced: _, default: _ } = place;
    for Unit { table: _, key_class: _, condition, part_class: _, part_condition } in units {
        [condition, part_condition].into_iter().for_each(|it| self::condition(it, found));
    }
}

fn condition(known: &Condition, found: &mut SmallVec<[u16; 4]>) {
    match known {
        Condition::Always | Condition::Never | Condition::IsNull => {}
        Condition::Eq(value) => operand(value, found),
        Condition::In(values) => values.iter().for_each(|value| operand(value, found)),
        Condition::Range { low, high } => {
            [low, high].into_iter().flatten().for_each(|bound| operand(&bound.operand, found));
        }
        Condition::And(parts) | Condition::Or(parts) => {
            parts.iter().for_each(|part| condition(part, found));
        }
    }
}

fn operand(operand: &Operand, found: &mut SmallVec<[u16; 4]>) {
    match operand {
        Operand::Param(param) => found.push(*param),
        Operand::Constant(constant) => {
            found.extend(constant.params.iter().map(|(_, param)| *param));
        }
        Operand::Literal(_) | Operand::Computed(_) => {}
    }
}
