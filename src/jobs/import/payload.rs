//! What an import was asked for with, as its job keeps it.

use entity::job::Model;
use serde::{Deserialize, Serialize};

use crate::domain::collection::ImportMode;
use crate::domain::import::{Column, Field, Plan, Platform, Seen};
use crate::error::Error;

/// What an import was asked for with, and how its file is to be read: as it was shown when the file came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportPayload {
    pub platform: String,
    pub mode: ImportMode,
    pub dry_run: bool,
    /// The file's headings.
    pub header: Vec<String>,
    pub columns: Vec<PlannedColumn>,
    #[serde(default)]
    pub seen: Seen,
}

/// How a column was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedColumn {
    pub column: String,
    pub field: Option<String>,
    pub confidence: f64,
}

impl ImportPayload {
    pub fn new(plan: &Plan, header: Vec<String>, mode: ImportMode, dry_run: bool) -> Self {
        let column = |column: &Column| PlannedColumn {
            column: column.column.clone(),
            field: column.field.map(|field| field.name().to_owned()),
            confidence: column.confidence,
        };
        Self {
            platform: plan.platform.name().to_owned(),
            mode,
            dry_run,
            header,
            columns: plan.columns.iter().map(column).collect(),
            seen: plan.seen,
        }
    }

    /// # Errors
    /// For what is no import's.
    pub fn of(job: &Model) -> Result<Self, Error> {
        // Not in the parser's words: they quote what is there, and that may be a file's.
        Self::deserialize(&job.payload).map_err(|_| Error::internal("a job's payload is no import's"))
    }

    /// How the rows are read: nothing is detected anew, so that what is done is what was shown.
    ///
    /// # Errors
    /// For a platform or a field that this version does not know.
    pub fn plan(&self) -> Result<Plan, Error> {
        let unknown = || Error::internal("an import is of a platform or has a field that is not known");
        let column = |planned: &PlannedColumn| {
            let field = match &planned.field {
                Some(name) => Some(Field::of_name(name).ok_or_else(unknown)?),
                None => None,
            };
            Ok::<_, Error>(Column { column: planned.column.clone(), field, confidence: planned.confidence })
        };
        Ok(Plan {
            platform: Platform::of_name(&self.platform).ok_or_else(unknown)?,
            columns: self.columns.iter().map(column).collect::<Result<_, _>>()?,
            seen: self.seen,
            today: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_that_was_shown_is_the_one_that_is_read_by() {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        // Detected anew, with the platform that was found, a misspelt heading would be taken for one of its own.
        let misspelt = "Count,Name,Edition,Collector Number,Alter,Proxy,Purchase Prise";
        let found = Plan::detect(&cells(misspelt), &[], None).expect("a plan");
        assert_eq!(found.platform, Platform::Moxfield);
        assert_ne!(Plan::detect(&cells(misspelt), &[], Some(found.platform)).expect("a plan"), found);
        for (header, row, given) in [
            (misspelt, "4,Shock,m11,156,,,1.00", None),
            ("Quantity,Name,Finish", "2,Shock,foil", None),
            ("Line", "4 Shock", Some(Platform::Decklist)),
        ] {
            let plan = Plan::detect(&cells(header), &[cells(row)], given).expect("a plan");
            let payload = ImportPayload::new(&plan, cells(header), ImportMode::Merge, false);
            let kept = serde_json::to_value(&payload).expect("JSON");
            let payload: ImportPayload = serde_json::from_value(kept).expect("a payload");
            assert_eq!(payload.plan().expect("a plan"), plan, "{header}");
        }
        for field in Field::ALL {
            assert_eq!(Field::of_name(field.name()), Some(*field));
        }
    }
}
