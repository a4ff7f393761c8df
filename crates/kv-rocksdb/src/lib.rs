//! stator-kv-rocksdb
