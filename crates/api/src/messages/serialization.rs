//! What the service says about a body that it cannot read. Wordings as quoted in public reports; assumed where it says so.

use crate::fault::Fault;
use crate::json::{JsonFault, Mismatch};

impl From<JsonFault> for Fault {
    fn from(fault: JsonFault) -> Fault {
        match fault {
            JsonFault::Malformed => {
                Fault { exception: "SerializationException", status: 400, message: None, members: Vec::new(), cause: None }
            }
            JsonFault::Mismatch(mismatch) => Fault::client("SerializationException", render(mismatch)),
        }
    }
}

fn render(mismatch: Mismatch) -> String {
    match mismatch {
        Mismatch::Scalar("STRING_VALUE", "Boolean") => "Unexpected token received from parser".to_owned(),
        Mismatch::Scalar(found, expected) => format!("{found} cannot be converted to {expected}"),
        Mismatch::Object => "Start of structure or map found where not expected.".to_owned(),
        Mismatch::Array(_) => "Start of list found where not expected".to_owned(),
        Mismatch::NotContainer => "Unexpected field type".to_owned(),
        // assumed
        Mismatch::NotInteger => "NUMBER_VALUE cannot be converted to Integer".to_owned(),
        Mismatch::NotBase64 => "Base64 encoded length is expected a multiple of 4 bytes".to_owned(),
    }
}
