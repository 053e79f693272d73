//! Plans that hold for every statement of a shape.
//!
//! Such a plan is made from the statement with its slots [hidden](crate::sql::hide): for the planner they
//! are parameters, whose values it does not know. So it is what would be planned for a prepared
//! statement with parameters in these places, and is right for any values. When it runs, the values come
//! from the text that is run, and so does every byte that is sent.

use smallvec::SmallVec;

use super::facts::Stop;
use super::planner::{self, Context};
use super::types::{Condition, Operand, Place, Plan, Refusal};
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
    /// Slots whose values decide where the statement runs.
    wanted: SmallVec<[u16; 4]>,
    schema: Option<Box<str>>,
    mode: Mode,
}

/// What a plan was made without: the text that runs, and the values in it.
#[derive(Debug, Clone, Copy)]
pub struct Hidden<'r> {
    text: &'r [u8],
    slots: &'r [Slot],
    values: &'r [Option<Literal>],
}

/// Values of slots, of those that are wanted.
pub type Values = SmallVec<[Option<Literal>; 2]>;

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

    /// The values that decide where a text of the shape runs.
    pub fn values(&self, text: &[u8], slots: &[Slot]) -> Values {
        let mut values = Values::new();
        if let Some(last) = self.wanted.last() {
            values.resize(usize::from(*last) + 1, None);
        }
        for index in &self.wanted {
            if let Some(value) = values.get_mut(usize::from(*index)) {
                *value = self.value(*index, text, slots);
            }
        }
        values
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
    pub fn new(text: &'r [u8], slots: &'r [Slot], values: &'r [Option<Literal>]) -> Self {
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
        self.values.get(usize::from(param.checked_sub(FIRST_SLOT)?))?.as_ref()
    }
}

/// Takes out of a plan what was made of one text alone. False: there is nothing left to keep.
fn settle(plan: &mut Plan) -> bool {
    match plan {
        Plan::Select(select) => {
            select.source = None;
            select.scatter = Err(Refusal { message: String::new() });
            select.place.forced.is_none()
        }
        Plan::Write(write) => {
            write.source = None;
            // Which values a copy would generate is seen in the values themselves.
            write.broadcast.is_none() && write.place.forced.is_none()
        }
        Plan::Insert(_) => true,
        Plan::Feed(_) | Plan::Ddl(_) => false,
    }
}

/// The slots that decide where a plan runs, in order.
fn wanted(plan: &Plan) -> SmallVec<[u16; 4]> {
    let mut found = SmallVec::new();
    match plan {
        Plan::Select(select) => place(&select.place, &mut found),
        Plan::Write(write) => place(&write.place, &mut found),
        Plan::Insert(insert) => {
            let operands = insert.rows.iter().flat_map(|row| [&row.key, &row.part_key, &row.id]);
            operands.flatten().for_each(|it| operand(it, &mut found));
        }
        Plan::Feed(_) | Plan::Ddl(_) => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn place(place: &Place, found: &mut SmallVec<[u16; 4]>) {
    for unit in &place.units {
        condition(&unit.condition, found);
        condition(&unit.part_condition, found);
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
        Operand::Param(param) => found.extend(param.checked_sub(FIRST_SLOT)),
        Operand::Constant(constant) => {
            let params = constant.params.iter().map(|(_, param)| param);
            found.extend(params.filter_map(|param| param.checked_sub(FIRST_SLOT)));
        }
        Operand::Literal(_) | Operand::Computed(_) => {}
    }
}
