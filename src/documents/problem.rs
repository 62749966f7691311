//! Problem documents (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder,
        schema::{SchemaFormat, Type},
    },
};

use super::{
    ProblemKind, Report,
    schema::{CodeWord, schema},
    word::Word,
};
use crate::domain::{self, ChangeId, Code, Place, Reason};

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"type": "/docs/errors/invalid-fields", "title": "Unprocessable Content", "status": 422,
    "detail": "1 field is invalid",
    "errors": [{"pointer": "/rating", "code": "out_of_range", "detail": "must be between 1 and 5, got 9"}]}))]
pub struct Problem {
    #[schema(inline, value_type = ProblemAddress, required)]
    #[serde(default)]
    pub r#type: String,
    #[schema(required)]
    #[serde(default)]
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// The parts of `detail`, if the file of an import cannot be read; otherwise left out.
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Reason::is_empty")]
    pub reason: Reason,
    /// All violations.
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Violation>,
    /// The report of an aborted import.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
    /// The changes that conflict with an undo.
    #[schema(required = false, value_type = Vec<i64>)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeId>,
}

/// A violation and its place in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// In the body: a JSON pointer (RFC 6901).
    #[schema(required = false, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// In the URL: the name of a query parameter.
    #[schema(required = false, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    #[schema(inline, value_type = CodeWord)]
    pub code: Word<Code>,
    /// The rule and the given value, in words.
    pub detail: String,
}

impl Violation {
    /// Returns the name of the field or parameter, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        let place = self.pointer.as_deref().or(self.parameter.as_deref());
        place.unwrap_or_default().trim_start_matches('/')
    }
}

impl From<domain::Violation> for Violation {
    fn from(domain::Violation { place, code, detail }: domain::Violation) -> Self {
        let (pointer, parameter) = match place {
            Place::Field(path) => (Some(path), None),
            Place::Option(name) => (None, Some(name)),
        };
        Self { pointer, parameter, code: code.into(), detail }
    }
}

schema!(
    ProblemAddress,
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The address of the page about this kind of problem."))
        .format(Some(SchemaFormat::Custom("uri-reference".to_owned())))
        .enum_values(Some(ProblemKind::ALL.map(ProblemKind::address)))
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{NoteKind, RowResult, Source};

    #[test]
    fn a_client_reads_the_words_and_members_of_a_newer_version() {
        let newer = r#"{"type": "/docs/errors/newer", "title": "Newer", "status": 422, "detail": "no", "newer": 1,
            "errors": [{"pointer": "/newer", "code": "newer", "detail": "must be newer", "newer": 1}],
            "report": {"read": 2, "created": 0, "updated": 0, "skipped": 1, "failed": 1, "dryRun": true,
                "change": null, "source": "newer", "noted": {"newer": 1, "cut": 2}, "newer": 1,
                "errors": [{"line": 2, "field": null, "code": "newer", "detail": "is newer", "value": null}],
                "notes": [{"line": 3, "field": "newer", "kind": "newer", "detail": "", "value": null, "newer": 1}],
                "preview": [{"line": 2, "becomes": "newer", "movie": null, "id": null, "newer": 1},
                    {"line": 3, "becomes": "refused", "movie": null, "id": null}]}}"#;
        let problem: Problem = serde_json::from_str(newer).unwrap();
        let word = "newer".to_owned();
        assert_eq!(problem.errors[0].code, Word::Other(word.clone()));
        assert_eq!(problem.errors[0].name(), "newer");
        let report = problem.report.unwrap();
        assert_eq!(report.source, Word::<Source>::Other(word.clone()));
        assert_eq!(report.errors[0].code.known(), None);
        assert_eq!(report.notes[0].kind, Word::<NoteKind>::Other(word.clone()));
        assert_eq!(report.noted, [(NoteKind::Cut.into(), 2), (Word::Other(word.clone()), 1)].into());
        assert_eq!(report.preview[0].becomes, Word::Other(word));
        assert_eq!(report.preview[1].becomes, RowResult::Rejected.into());
        let written = serde_json::to_value(&*report).unwrap();
        assert_eq!(written["noted"], serde_json::json!({"cut": 2, "newer": 1}), "unknown words are kept");
    }
}
