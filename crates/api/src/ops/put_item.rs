//! PutItem: replaces an item whole.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>

use stator_engine::write::{Action, Intent};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Attributes, Reader};
use crate::messages::{item, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::expressions::{Use, Wording, check_kinds, finish};
use crate::shapes::write::WriteInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("PutItem", Class::Write, |body| {
    let mut input = PutItem::default();
    Reader::body(body, |reader, member| {
        match member {
            "Item" => input.item = Some(Attributes::read(reader)?),
            other => input.write.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct PutItem<'a> {
    item: Option<Attributes>,
    write: WriteInput<'a>,
}

impl Prepared for PutItem<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.write.table.check_alone()?;
        let mut constraints = Constraints::new(Style::Current);
        self.write.table.constrain(&mut constraints);
        constraints.required("Item", self.item.as_ref());
        self.write.constrain(&mut constraints);
        self.write.constrain_return_values(&mut constraints);
        constraints.finish()?;
        self.write.table.check()?;
        check_kinds(&self.write.legacy_given(), &[("ConditionExpression", self.write.has_expression())])?;
        self.write.substitutions.check_use(self.write.has_expression())?;
        let mut binder = self.write.substitutions.binder(Wording::Detected, Use::Compared)?;
        value::check(self.item.as_ref())?;
        self.write.check_returns_old()?;
        item::check_size(self.item.as_ref())?;
        self.write.check_values()?;
        self.write.bind_condition(&mut binder, Wording::Detected)?;
        finish(&binder, Wording::Detected)
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.write.table.table(context)?;
            let item = self.item.take().map_or_else(stator_model::Item::empty, |attributes| attributes.item);
            let intent = Intent { action: Action::Put(item), condition: self.write.condition.take() };
            let written = context.engine.write(&table, &intent).await.map_err(|error| self.write.refuse(error, item::Written::Put))?;
            let returned = written.old.as_ref().filter(|_| self.write.return_values() == "ALL_OLD");
            let body = self.write.answer(context, &table, intent.action.key_source(), &written, returned).await?;
            Ok(Answer { body })
        })
    }
}
