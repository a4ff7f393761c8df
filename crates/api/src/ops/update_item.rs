//! UpdateItem: changes attributes of an item, making it if need be.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>

use std::borrow::Cow;

use stator_engine::write::{Action, Intent, Written};
use stator_expr::{Binder, ExpressionKind, Update};
use stator_model::Item;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Attributes, Reader};
use crate::messages::{expression, item, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::expressions::{Use, Wording, check_kinds, finish};
use crate::shapes::legacy::{self, Entries};
use crate::shapes::write::WriteInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("UpdateItem", Class::Write, |body| {
    let mut input = UpdateItem::default();
    Reader::body(body, |reader, member| {
        match member {
            "Key" => input.key = Some(Attributes::read(reader)?),
            "UpdateExpression" => input.update_text = Some(reader.string()?),
            "AttributeUpdates" => input.attribute_updates = Some(reader.map(legacy::Entry::read)?),
            other => input.write.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct UpdateItem<'a> {
    key: Option<Attributes>,
    update_text: Option<Cow<'a, str>>,
    attribute_updates: Option<Entries>,
    update: Option<Update>,
    write: WriteInput<'a>,
}

impl UpdateItem<'_> {
    fn constrain(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        self.write.table.constrain(&mut constraints);
        constraints.required("Key", self.key.as_ref());
        self.write.constrain(&mut constraints);
        legacy::constrain(&mut constraints, "AttributeUpdates", self.attribute_updates.as_ref(), false);
        constraints.finish()
    }

    fn check_kinds(&self) -> Result<(), Fault> {
        let [expected, conditional_operator] = self.write.legacy_given();
        let updates = ("AttributeUpdates", self.attribute_updates.is_some());
        let texts = [("UpdateExpression", self.update_text.is_some()), ("ConditionExpression", self.write.has_expression())];
        check_kinds(&[updates, expected, conditional_operator], &texts)
    }

    fn bind_update(&mut self, binder: &mut Binder<'_>) -> Result<(), Fault> {
        self.update = Some(match (&self.update_text, self.attribute_updates.take()) {
            (Some(text), _) => {
                stator_expr::update(text, binder).map_err(|error| Wording::Detected.expression(&error, ExpressionKind::Update))?
            }
            (None, Some(entries)) => stator_expr::legacy::attribute_updates(legacy::updates(entries))
                .map_err(|error| Fault::validation(expression::render_legacy(&error)))?,
            (None, None) => Update::nothing(),
        });
        Ok(())
    }

    fn returned(&self, update: &Update, written: &Written) -> Option<Item> {
        let old = written.old.as_ref();
        let new = written.new.as_ref();
        match self.write.return_values() {
            "ALL_OLD" => old.cloned(),
            "ALL_NEW" => new.cloned(),
            "UPDATED_OLD" => old.map(|old| update.touched_old(old.map())),
            "UPDATED_NEW" => new.map(|new| update.touched_new(old.map(Item::map), new.map())),
            _ => None,
        }
    }
}

impl Prepared for UpdateItem<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.write.table.check_alone()?;
        self.write.check_return_values()?;
        self.constrain()?;
        self.write.table.check()?;
        self.check_kinds()?;
        self.write.substitutions.check_use(self.write.has_expression() || self.update_text.is_some())?;
        let used = if self.update_text.is_some() { Use::Stored } else { Use::Compared };
        let mut binder = self.write.substitutions.binder(Wording::Detected, used)?;
        value::check(self.key.as_ref())?;
        legacy::check_values(self.attribute_updates.as_ref())?;
        self.write.check_values()?;
        self.bind_update(&mut binder)?;
        self.write.bind_condition(&mut binder, Wording::Detected)?;
        finish(&binder, Wording::Detected)
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.write.table.table(context)?;
            let key = self.key.take().map_or_else(Item::empty, |attributes| attributes.item);
            let update = self.update.take().unwrap_or_else(Update::nothing);
            let intent = Intent { action: Action::Update { key, update: update.clone() }, condition: self.write.condition.take() };
            let written = context.engine.write(&table, &intent).await.map_err(|error| self.write.refuse(error, item::Written::Update))?;
            let returned = self.returned(&update, &written);
            let body = self.write.answer(context, &table, intent.action.key_source(), &written, returned.as_ref()).await?;
            Ok(Answer { body })
        })
    }
}
