//! The operations, one file each, and the list of them.
//!
//! What must stay true: the list is sorted by service and name, because requests are looked up in it. Names, metrics
//! labels, permissions and the public support matrix derive from it.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::operation::ErasedOperation;

mod batch_execute_statement;
mod batch_get_item;
mod batch_write_item;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_endpoints;
mod describe_limits;
mod describe_stream;
mod describe_table;
mod describe_time_to_live;
mod execute_statement;
mod execute_transaction;
mod get_item;
mod get_records;
mod get_shard_iterator;
mod list_streams;
mod list_tables;
mod list_tags_of_resource;
mod put_item;
mod query;
mod scan;
mod search_vectors;
mod tag_resource;
mod transact_get_items;
mod transact_write_items;
mod untag_resource;
mod update_item;
mod update_table;
mod update_time_to_live;

/// All operations.
pub(crate) static OPERATIONS: [&dyn ErasedOperation; 30] = [
    &batch_execute_statement::OPERATION,
    &batch_get_item::OPERATION,
    &batch_write_item::OPERATION,
    &create_table::OPERATION,
    &delete_item::OPERATION,
    &delete_table::OPERATION,
    &describe_endpoints::OPERATION,
    &describe_limits::OPERATION,
    &describe_table::OPERATION,
    &describe_time_to_live::OPERATION,
    &execute_statement::OPERATION,
    &execute_transaction::OPERATION,
    &get_item::OPERATION,
    &list_tables::OPERATION,
    &list_tags_of_resource::OPERATION,
    &put_item::OPERATION,
    &query::OPERATION,
    &scan::OPERATION,
    &search_vectors::OPERATION,
    &tag_resource::OPERATION,
    &transact_get_items::OPERATION,
    &transact_write_items::OPERATION,
    &untag_resource::OPERATION,
    &update_item::OPERATION,
    &update_table::OPERATION,
    &update_time_to_live::OPERATION,
    &describe_stream::OPERATION,
    &get_records::OPERATION,
    &get_shard_iterator::OPERATION,
    &list_streams::OPERATION,
];

#[cfg(test)]
mod tests {
    use super::OPERATIONS;

    #[test]
    fn the_list_is_sorted() {
        assert!(OPERATIONS.is_sorted_by_key(|operation| (operation.info().service, operation.info().name)));
    }
}
