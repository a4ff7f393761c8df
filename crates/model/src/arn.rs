//! Amazon Resource Names: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME[/index/INDEX]` of tables and their indexes,
//! `…:table/NAME/stream/LABEL` of streams.
//!
//! A table may be named by its ARN wherever its name is asked for. What must stay true: printing and parsing agree.

use std::fmt;

use crate::name;

/// Where a table lives: tables of one account in different regions are apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    /// Any region name; it need not be one that AWS has.
    pub region: String,
}

/// The ARN of a table or of one of its indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableArn {
    /// Account and region.
    pub scope: Scope,
    /// Name of the table.
    pub table: String,
    /// Name of the index, when the ARN names one.
    pub index: Option<String>,
}

/// The text starts like an ARN but names no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnError;

impl TableArn {
    /// The ARN of a table.
    pub fn table(scope: &Scope, table: &str) -> TableArn {
        TableArn { scope: scope.clone(), table: table.to_owned(), index: None }
    }

    /// Parses the text of an ARN.
    pub fn parse(text: &str) -> Result<TableArn, ArnError> {
        let (scope, resource) = split(text)?;
        let (table, index) = match resource.strip_prefix("table/").ok_or(ArnError)?.split_once('/') {
            None => (resource.strip_prefix("table/").ok_or(ArnError)?, None),
            Some((table, rest)) => (table, Some(rest.strip_prefix("index/").ok_or(ArnError)?)),
        };
        if !name::is_valid(table) || !index.is_none_or(name::is_valid) {
            return Err(ArnError);
        }
        Ok(TableArn { scope, table: table.to_owned(), index: index.map(str::to_owned) })
    }
}

impl fmt::Display for TableArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:dynamodb:{}:{}:table/{}", self.scope.region, self.scope.account, self.table)?;
        self.index.as_ref().map_or(Ok(()), |index| write!(f, "/index/{index}"))
    }
}

/// The ARN of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamArn {
    /// Account and region.
    pub scope: Scope,
    /// Name of the table.
    pub table: String,
    /// The stream's label.
    pub label: String,
}

impl StreamArn {
    /// Parses the text of an ARN.
    pub fn parse(text: &str) -> Result<StreamArn, ArnError> {
        let (scope, resource) = split(text)?;
        let (table, label) = resource.strip_prefix("table/").and_then(|rest| rest.split_once("/stream/")).ok_or(ArnError)?;
        if !name::is_valid(table) || label.is_empty() {
            return Err(ArnError);
        }
        Ok(StreamArn { scope, table: table.to_owned(), label: label.to_owned() })
    }
}

impl fmt::Display for StreamArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { account, region } = &self.scope;
        write!(f, "arn:aws:dynamodb:{region}:{account}:table/{}/stream/{}", self.table, self.label)
    }
}

/// Account, region and resource of a DynamoDB ARN.
fn split(text: &str) -> Result<(Scope, &str), ArnError> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().ok_or(ArnError);
    let (arn, partition, service) = (next()?, next()?, next()?);
    let (region, account, resource) = (next()?, next()?, next()?);
    let account_is_valid = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if arn != "arn" || !partition.starts_with("aws") || service != "dynamodb" || region.is_empty() || !account_is_valid {
        return Err(ArnError);
    }
    Ok((Scope { account: account.to_owned(), region: region.to_owned() }, resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints() {
        for text in
            ["arn:aws:dynamodb:eu-west-1:000000000000:table/Music", "arn:aws:dynamodb:eu-west-1:000000000000:table/Music/index/by.Artist"]
        {
            assert_eq!(TableArn::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn streams_have_labels_with_colons() {
        let text = "arn:aws:dynamodb:eu-west-1:000000000000:table/Music/stream/2026-11-24T09:25:16.123";
        assert_eq!(StreamArn::parse(text).unwrap().to_string(), text);
        assert_eq!(StreamArn::parse("arn:aws:dynamodb:eu-west-1:000000000000:table/Music"), Err(ArnError));
    }

    #[test]
    fn refuses_other_arns() {
        for text in [
            "arn:aws:s3:::bucket",
            "arn:aws:dynamodb:r:1:table/Music",
            "arn:aws:dynamodb:r:000000000000:table/M",
            "arn:aws:dynamodb:r:000000000000:table/Music/x",
        ] {
            assert_eq!(TableArn::parse(text), Err(ArnError));
        }
    }
}
