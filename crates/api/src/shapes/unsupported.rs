//! Members that ask for what this server does not do yet.
//!
//! What must stay true: none of them is accepted and ignored. A member that asks for what is the case anyway (encryption that is not asked for) is no request and passes.

use crate::json::{JsonFault, Reader};

/// Members of CreateTable and UpdateTable that cannot be honoured yet, whatever they say.
const REFUSED: [&str; 7] = [
    "ResourcePolicy",
    "GlobalTableSourceArn",
    "GlobalTableSettingsReplicationMode",
    "GlobalTableWitnessUpdates",
    "MultiRegionConsistency",
    "ReplicaUpdates",
    "DisassociationProtectionEnabled",
];

/// The first such member of a request.
#[derive(Debug, Default)]
pub(crate) struct Unsupported {
    found: Option<&'static str>,
}

impl Unsupported {
    /// Looks at a member.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>, member: &str) -> Result<(), JsonFault> {
        let asks = match member {
            "SSESpecification" => ("SSESpecification", asks(reader, "Enabled")?),
            other => match REFUSED.into_iter().find(|refused| *refused == other) {
                Some(refused) => {
                    reader.skip()?;
                    (refused, true)
                }
                None => return Ok(()),
            },
        };
        if let (None, (member, true)) = (self.found, asks) {
            self.found = Some(member);
        }
        Ok(())
    }

    /// Refuses the first.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.found.map_or(Ok(()), Err)
    }
}

/// Whether a structure's switch is on; without the switch, any other member asks.
fn asks(reader: &mut Reader<'_>, switch: &str) -> Result<bool, JsonFault> {
    let (mut state, mut others) = (None, false);
    reader.object(|reader, member| {
        if member == switch {
            state = Some(reader.boolean()?);
        } else {
            others = true;
        }
        Ok(())
    })?;
    Ok(state.unwrap_or(others))
}
