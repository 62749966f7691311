//! Values on the command line and at prompts.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::{
    domain::{Bounds, Code, Field, Invalid, Length, MovieFormat, Rating, ReleaseYear, Sort, SortKey, quoted},
    format,
};

/// Parses a format option, with its values in help and completion.
pub fn format_option() -> impl TypedValueParser<Value = MovieFormat> {
    PossibleValuesParser::new(MovieFormat::ALL.map(MovieFormat::as_str))
        .try_map(|text| MovieFormat::parse_any_case(&text))
}

/// Parses a release year.
pub fn year(text: &str) -> Result<ReleaseYear, Invalid> {
    whole(text)?.try_into()
}

/// Parses a rating.
pub fn rating(text: &str) -> Result<Rating, Invalid> {
    whole(text)?.try_into()
}

fn whole(text: &str) -> Result<i64, Invalid> {
    text.trim()
        .parse()
        .map_err(|_| Invalid::new(Code::WrongType, "must be a whole number").got(format_args!("{text:?}")))
}

/// Parses a range of lengths in common notations: `..2h`.
pub fn lengths(text: &str) -> Result<Bounds, Invalid> {
    let minutes = |end: &str| match end {
        "" => Ok(String::new()),
        end => length(end).map(|length| length.get().to_string()),
    };
    match text.split_once("..") {
        None => Bounds::of_length(&minutes(text)?),
        Some((least, most)) => Bounds::of_length(&format!("{}..{}", minutes(least)?, minutes(most)?)),
    }
}

/// Parses a field, by the name of its option or in the API.
pub fn field(name: &str) -> Result<Field, Invalid> {
    let is_meant = |field: &Field| {
        format::field(*field).eq_ignore_ascii_case(name) || field.as_str().eq_ignore_ascii_case(name)
    };
    Field::ALL.into_iter().find(is_meant).ok_or_else(|| {
        let names = Field::ALL.map(format::field).join(", ");
        Invalid::new(Code::NotAllowed, format!("must name one of {names}")).got(quoted(name))
    })
}

/// Parses `FIELD:TEXT` and replaces the field by its API name.
pub fn of_field(text: &str) -> Result<String, Invalid> {
    match text.split_once(':') {
        Some((name, rest)) => Ok(format!("{}:{rest}", field(name.trim())?.as_str())),
        None => Ok(text.to_owned()), // the import options reject it
    }
}

/// Parses sort keys and replaces them by their API names.
pub fn sort(text: &str) -> Result<String, Invalid> {
    let keys = text.split(',').map(|key| {
        let name = key.strip_prefix('-').unwrap_or(key);
        let sign = &key[..key.len() - name.len()];
        Ok(format!("{sign}{}", sort_key(name)?.as_str()))
    });
    let sort = keys.collect::<Result<Vec<_>, _>>()?.join(",");
    Sort::parse(&sort).map(|_| sort)
}

/// Parses a sort key, by the name of its option or in the API.
fn sort_key(name: &str) -> Result<SortKey, Invalid> {
    let in_api = match (name, field(name)) {
        ("added", _) => "createdAt",
        ("changed", _) => "updatedAt",
        (_, Ok(field)) => field.as_str(),
        (name, Err(_)) => name,
    };
    SortKey::ALL.into_iter().find(|key| key.as_str() == in_api).ok_or_else(|| {
        let names = "id, title, format, length, year, rating, added or changed";
        Invalid::new(Code::NotAllowed, format!("must name {names}, each with - before it or not"))
            .got(quoted(name))
    })
}

/// Parses a maximum number of lines.
pub fn limit(text: &str) -> Result<usize, Invalid> {
    match text.parse() {
        Ok(limit @ 1..) => Ok(limit),
        _ => {
            Err(Invalid::new(Code::Malformed, "must be a whole number from 1").got(format_args!("{text:?}")))
        }
    }
}

/// Parses a length in common notations, to the minute.
pub fn length(text: &str) -> Result<Length, Invalid> {
    Length::parse(text).map(|(length, _)| length)
}
