//! SearchVectors: the entries of a vector index that are nearest to a vector.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html>

use std::borrow::Cow;

use stator_engine::index::vector_of_elements;
use stator_engine::receipt::{Receipt, VectorCharge};
use stator_engine::vector::{Search, SearchRequest};
use stator_expr::{ExpressionKind, Literal};
use stator_model::RawValue;
use stator_model::limits::{SEARCH_RESULTS_MAX, VECTOR_DIMENSIONS_MAX};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{AttributeValue, Reader, Writer};
use crate::messages::{read, value, vector};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::expressions::{Use, Wording, finish};
use crate::shapes::page::Selection;
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("SearchVectors", Class::Read, |body| {
    let mut input = SearchVectors::default();
    Reader::body(body, |reader, member| {
        match member {
            "TableName" => input.table.0 = Some(reader.string()?),
            "IndexName" => input.index = Some(reader.string()?),
            "SearchVector" => input.elements = Some(reader.list(AttributeValue::read)?),
            "TopK" => input.limit = Some(reader.integer("Integer")?),
            "SearchConditionExpression" => input.condition_text = Some(reader.string()?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            "AttributesToGet" => {}
            other => input.selection.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
})
.in_bulk();

#[derive(Debug, Default)]
struct SearchVectors<'a> {
    table: TableName<'a>,
    index: Option<Cow<'a, str>>,
    elements: Option<Vec<AttributeValue>>,
    limit: Option<i64>,
    condition_text: Option<Cow<'a, str>>,
    return_capacity: Option<Cow<'a, str>>,
    selection: Selection<'a>,
    /// What SearchVector comes to; set by validation, as what follows.
    vector: Vec<f32>,
    conditions: Vec<(String, Literal)>,
}

impl SearchVectors<'_> {
    fn constrain(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        self.table.constrain(&mut constraints);
        constraints.required("IndexName", self.index.as_ref());
        constraints.name_pattern("IndexName", self.index.as_deref());
        constraints.length("IndexName", self.index.as_deref(), 3, 255);
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.required("SearchVector", self.elements.as_ref());
        if let Some(elements) = &self.elements {
            constraints.count("SearchVector", "[]", elements.len(), 1, VECTOR_DIMENSIONS_MAX);
        }
        constraints.required("TopK", self.limit.as_ref());
        constraints.range("TopK", self.limit, 1, i64::from(i32::MAX));
        constraints.finish()
    }

    fn read_vector(&mut self) -> Result<(), Fault> {
        let elements = self.elements.take().unwrap_or_default();
        if let Some(fault) = elements.iter().find_map(|element| element.fault.as_ref()) {
            return Err(value::fault_of(fault));
        }
        let elements = elements.iter().map(|element| RawValue::new(&element.encoded));
        self.vector = vector_of_elements(elements).ok_or_else(vector::search_vector)?;
        Ok(())
    }

    fn bind(&mut self) -> Result<(), Fault> {
        let mut binder = self.selection.substitutions.binder(Wording::Bare, Use::Compared)?;
        if let Some(text) = &self.condition_text {
            let conditions = stator_expr::search_condition(text, &mut binder);
            self.conditions = conditions.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::SearchCondition))?;
        }
        self.selection.bind(&mut binder)?;
        finish(&binder, Wording::Bare)
    }

    fn answer(&self, search: &Search) -> Vec<u8> {
        Writer::answer(|writer| {
            if Wanted::of(self.return_capacity.as_deref()) != Wanted::None {
                writer.name("ConsumedCapacity").object(|writer| writer.name("VectorSearchRequestBytes").halves(2 * search.bytes));
            }
            let results = search.items.iter().zip(&search.scores);
            writer.name("SearchResults").array(results, |writer, (item, score)| {
                writer.object(|writer| {
                    writer.name("Item").attributes(stator_model::item::map_of(item.bytes()));
                    writer.name("Score").double(*score);
                });
            });
        })
    }
}

impl Prepared for SearchVectors<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.constrain()?;
        self.table.check()?;
        match self.limit.filter(|limit| usize::try_from(*limit).is_ok_and(|limit| limit > SEARCH_RESULTS_MAX)) {
            Some(limit) => return Err(vector::results(limit)),
            None => self.read_vector()?,
        }
        self.selection.substitutions.check_use(self.condition_text.is_some() || self.selection.expression_given().1)?;
        self.bind()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.table.table(context)?;
            let name = self.index.as_deref().unwrap_or_default();
            let index = table.index(name).filter(|index| index.is_maintained() && index.vector.is_some());
            let index = index.ok_or_else(|| read::no_index(name))?;
            if !index.is_readable() {
                return Err(vector::backfilling(name));
            }
            let request = SearchRequest {
                index,
                vector: &self.vector,
                conditions: &self.conditions,
                limit: self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1),
                projection: self.selection.projection.as_ref(),
            };
            let search = context.engine.search(&table, &request).await.map_err(|error| vector::refuse_search(error, name))?;
            let charge = VectorCharge { id: index.id, name: name.to_owned(), bytes: search.bytes };
            context.consumed(self.table.given(), &Receipt { vectors: vec![charge], ..Receipt::default() });
            Ok(Answer { body: self.answer(&search) })
        })
    }
}
