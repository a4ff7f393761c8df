//! From the `X-Amz-Target` header to the operation it names.
//!
//! What must stay true: a name that is not in the registry is answered like the service answers a name it never had; if the
//! service has it, a sentence says that it is missing here. This is the only place that decides so.

use crate::fault::Fault;
use crate::operation::{ErasedOperation, Service};

/// Finds the operation that a header value such as `DynamoDB_20120810.PutItem` names.
///
/// # Errors
/// `UnknownOperationException` when the service, its version or the operation is not known.
pub fn find(x_amz_target: &str) -> Result<&'static dyn ErasedOperation, Fault> {
    let (prefix, name) = x_amz_target.split_once('.').ok_or_else(Fault::unknown_operation)?;
    let service = match prefix {
        "DynamoDB_20120810" => Service::DynamoDb,
        "DynamoDBStreams_20120810" => Service::Streams,
        _ => return Err(Fault::unknown_operation()),
    };
    let registry = crate::registry();
    registry
        .binary_search_by(|operation| (operation.info().service, operation.info().name).cmp(&(service, name)))
        .map(|index| registry[index])
        .map_err(|_| if is_of_the_service(service, name) { Fault::not_there_yet(name) } else { Fault::unknown_operation() })
}

/// All operations that the service has, one per line: service and name.
const OPERATIONS: &str = include_str!("../../../spec/operations.txt");

fn is_of_the_service(service: Service, name: &str) -> bool {
    let word = match service {
        Service::DynamoDb => "DynamoDB",
        Service::Streams => "DynamoDBStreams",
    };
    OPERATIONS.lines().filter_map(|line| line.split_once(' ')).any(|known| known == (word, name))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn names_outside_the_registry_are_unknown_operations() {
        for target in ["", "PutItem", "DynamoDB_20110101.PutItem", "DynamoDB_20120810.Nothing", "DynamoDB_20120810"] {
            assert_eq!(find(target).err().map(|fault| (fault.exception, fault.message)), Some(("UnknownOperationException", None)));
        }
    }

    #[test]
    fn operations_that_are_missing_here_say_so() {
        let fault = find("DynamoDB_20120810.CreateBackup").err().unwrap();
        assert_eq!(fault.exception, "UnknownOperationException");
        assert_eq!(fault.message.as_deref(), Some("This server does not support CreateBackup yet"));
    }
}
