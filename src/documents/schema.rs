//! The schemas of single values, with the limits of the domain.

use serde::Serialize;
use utoipa::openapi::{
    ObjectBuilder,
    schema::{KnownFormat, SchemaFormat, Type},
};

use crate::domain::{self, Field, Password, Role, SortKey, TokenName};

/// Defines a schema from the limits of the domain.
macro_rules! schema {
    ($(#[$doc:meta])* $name:ident, $object:expr) => {
        $(#[$doc])*
        #[derive(Serialize)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $object.into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// At least one visible character, and no control characters, line separators or overrides of the direction. Tags
/// (U+E0000 to U+E0FFF) pass as visible ones, since regular expressions of JavaScript without a flag have no ranges
/// of them.
const SHORT_TEXT: &str = concat!(
    r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202d\u202e]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e",
    r"\u2060-\u2064\u2066-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]",
    r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202d\u202e]*$"
);

pub(crate) fn text(max: usize, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(max))
        .pattern(Some(SHORT_TEXT))
        .description(Some(description))
}

pub(crate) fn whole(min: i64, max: i64, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(min))
        .maximum(Some(max))
        .description(Some(description))
}

pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// Returns the schema of a value or range that matches a pattern.
pub(crate) fn range(value: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!(r"^({value}|{value}\.\.({value})?|\.\.{value})$")))
        .description(Some("A value (`5`) or a range (`4..`, `..90`, `1990..1999`), both ends included"))
}

pub(crate) fn date_time(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some(description))
}

pub(crate) fn positive(description: &str) -> ObjectBuilder {
    whole(1, i64::MAX, description)
}

schema!(
    Title,
    text(domain::Title::MAX_CHARS, "Counted in Unicode scalar values after NFC normalisation and trimming",)
        .examples(["Heat"])
);
schema!(MovieFormat, words(domain::MovieFormat::ALL.map(domain::MovieFormat::as_str)).examples(["DVD"]));
schema!(Length, whole(domain::Length::MIN, domain::Length::MAX, "Whole minutes").examples([170]));
schema!(ReleaseYear, whole(domain::ReleaseYear::MIN, domain::ReleaseYear::MAX, "The year").examples([1995]));
schema!(Rating, whole(domain::Rating::MIN, domain::Rating::MAX, "The more, the better").examples([5]));
schema!(Id, positive("Never used twice").examples([7]));
schema!(Version, positive("One more at each change").examples([1]));
schema!(Moment, date_time("RFC 3339, UTC, milliseconds").examples(["2026-11-23T20:15:00.123Z"]));
schema!(
    UserName,
    text(domain::UserName::MAX_CHARS, "Letters, digits and `.` `_` `-` `@` `+`, but neither `.` nor `..`")
        .pattern(Some(domain::UserName::PATTERN))
        .examples(["olivia"])
);
schema!(RoleName, words(Role::ALL.map(Role::as_str)).examples(["editor"]));
schema!(
    NewPassword,
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(Password::MIN_CHARS))
        .max_length(Some(Password::MAX_CHARS))
        .description(Some("Not one of the common ones"))
        .examples(["a shelf full of tapes"])
);
schema!(TokenTitle, text(TokenName::MAX_CHARS, "What the token is for").examples(["laptop"]));
schema!(KindName, words(domain::ChangeKind::ALL.map(domain::ChangeKind::as_str)));
schema!(
    CodeWord,
    words(domain::Code::ALL.map(domain::Code::as_str)).description(Some(
        "The kind of rule, for programs: it stays the same when the words of `detail` change."
    ))
);
schema!(RatingRange, range("0*[1-5]"));
schema!(LengthRange, range("0*([0-9]|[1-9][0-9]|[1-4][0-9][0-9]|500)"));
schema!(ReleaseYearRange, range("0*(1[89][0-9][0-9]|20[0-9][0-9]|2100)"));
schema!(SortKeys, {
    let key = format!("-?({})", SortKey::ALL.map(SortKey::as_str).join("|"));
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{key}(,{key})*$")))
});
schema!(AttributeText, {
    let names = Field::ALL.map(Field::as_str).join("|");
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^({names}):.*$")))
});
schema!(MediumText, {
    let formats = domain::MovieFormat::ALL.map(domain::MovieFormat::as_str).join("|");
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^.*:({formats})$")))
});

pub(crate) use schema;
