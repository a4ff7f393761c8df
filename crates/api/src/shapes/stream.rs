//! Streams on the wire: the specification of a table's stream, ARNs, iterators and records.
//!
//! What must stay true: an iterator is opaque to clients, and one that was tampered with is refused, never misread.

use std::borrow::Cow;
use std::sync::Arc;

use stator_engine::catalog::{Stream, StreamChange};
use stator_engine::stream::{Position, Record, sequence_number};
use stator_model::arn::StreamArn;
use stator_model::stream::StreamView;

use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::stream;
use crate::operation::Context;

/// `StreamSpecification` as given.
#[derive(Debug, Default)]
pub(crate) struct StreamSpecification<'a> {
    enabled: Option<bool>,
    view: Option<Cow<'a, str>>,
}

impl<'a> StreamSpecification<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<StreamSpecification<'a>, JsonFault> {
        let mut specification = StreamSpecification::default();
        reader.object(|reader, member| {
            match member {
                "StreamEnabled" => specification.enabled = Some(reader.boolean()?),
                "StreamViewType" => specification.view = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(specification)
    }

    pub(crate) fn constrain(given: Option<&StreamSpecification<'_>>, constraints: &mut Constraints) {
        let Some(given) = given else { return };
        constraints.required("StreamSpecification.StreamEnabled", given.enabled.as_ref());
        constraints.one_of("StreamSpecification.StreamViewType", given.view.as_deref(), &StreamView::ALL.map(StreamView::name));
    }

    /// What it asks for.
    pub(crate) fn change(&self) -> Result<StreamChange, Fault> {
        match (self.enabled, self.view.as_deref().and_then(StreamView::from_name)) {
            (Some(true), Some(view)) => Ok(StreamChange::Enable(view)),
            (Some(true), None) => Err(stream::view_missing()),
            (_, Some(_)) => Err(stream::view_without_stream()),
            (_, None) => Ok(StreamChange::Disable),
        }
    }
}

/// Writes the members of a table's description that are about its stream.
pub(crate) fn write_of_table(writer: &mut Writer, stream: &Stream) {
    if stream.disabled_at_ms.is_none() {
        writer.name("StreamSpecification").object(|writer| {
            writer.name("StreamEnabled").boolean(true);
            writer.name("StreamViewType").string(stream.view.name());
        });
    }
    writer.name("LatestStreamLabel").string(&stream.label);
    writer.name("LatestStreamArn").string(&stream.arn().to_string());
}

/// A required `StreamArn`.
pub(crate) fn constrain_arn(constraints: &mut Constraints, member: &str, arn: Option<&str>) {
    constraints.length(member, arn, 37, 1024);
}

/// The stream of an ARN as given.
pub(crate) fn find(given: &str, context: &Context) -> Result<Arc<Stream>, Fault> {
    let arn = StreamArn::parse(given).map_err(|_| stream::invalid_arn(given))?;
    let snapshot = context.engine.snapshot();
    let found = snapshot.stream_by_name(&arn.scope, &arn.table, &arn.label).filter(|_| arn.scope == context.scope);
    found.cloned().ok_or_else(|| stream::not_found(given))
}

/// The text of an iterator.
pub(crate) fn iterator_text(stream: &Stream, position: &Position) -> String {
    format!("{}|1|{}", stream.arn(), base64_simd::STANDARD.encode_to_string(position.to_bytes()))
}

/// ARN and position of an iterator's text.
pub(crate) fn parse_iterator(text: &str) -> Option<(&str, Position)> {
    let mut parts = text.splitn(3, '|');
    let (arn, format, payload) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = base64_simd::STANDARD.decode_to_vec(payload).ok().filter(|_| format == "1")?;
    Some((arn, Position::from_bytes(&bytes)?))
}

/// Writes a record of a stream.
pub(crate) fn write_record(writer: &mut Writer, stream: &Stream, record: &Record) {
    writer.object(|writer| {
        writer.name("eventID").string(&event_id(stream, record));
        writer.name("eventName").string(record.kind().name());
        writer.name("eventVersion").string("1.1");
        writer.name("eventSource").string("aws:dynamodb");
        writer.name("awsRegion").string(&stream.scope.region);
        writer.name("dynamodb").object(|writer| {
            // The service rounds to seconds.
            writer.name("ApproximateCreationDateTime").integer(record.created_at_ms() / 1000);
            writer.name("Keys").attributes(record.keys());
            if let Some(image) = record.new_image() {
                writer.name("NewImage").attributes(image);
            }
            if let Some(image) = record.old_image() {
                writer.name("OldImage").attributes(image);
            }
            writer.name("SequenceNumber").string(&sequence_number(record.stamp).to_string());
            writer.name("SizeBytes").integer(record.size_bytes());
            writer.name("StreamViewType").string(stream.view.name());
        });
        if record.is_expiry() {
            writer.name("userIdentity").object(|writer| {
                writer.name("PrincipalId").string("dynamodb.amazonaws.com");
                writer.name("Type").string("Service");
            });
        }
    });
}

/// Unique for every record, and the same whenever it is read.
fn event_id(stream: &Stream, record: &Record) -> String {
    let place = u128::from(stream.id.0) << 96 | u128::from(record.stamp.version) << 32 | u128::from(record.stamp.place);
    format!("{place:032x}")
}
