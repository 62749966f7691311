//! A strict JSON parser, and a reader of objects that reports all violations at once.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::{
    domain::{
        AllChecked, Attributes, BYTE_ORDER_MARK, Checked, Code, Field, Invalid, Length, MovieFormat,
        MoviePatch, Rating, ReleaseYear, Title, Violation, Violations, quoted,
    },
    limits::{MAX_JSON_VALUES, MAX_VIOLATIONS},
};

/// A JSON value that keeps duplicate members of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValue {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<JsonValue>),
    Object(Vec<(String, JsonValue)>),
}

impl JsonValue {
    /// Parses a JSON text (RFC 8259) with at most 128 levels of nesting. Numbers have the range and precision of
    /// binary64, as section 6 allows.
    ///
    /// # Errors
    /// [`Code::Malformed`], with the position and reason.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        Self::parse_up_to(MAX_JSON_VALUES, json)
    }

    /// Parses a JSON text with a limit on the number of values.
    ///
    /// # Errors
    /// As [`JsonValue::parse`]; also if there are more values.
    pub fn parse_up_to(max_values: usize, json: &[u8]) -> Result<Self, Invalid> {
        let left = Cell::new(max_values);
        let json = json.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(json); // as RFC 8259, section 8.1, allows
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let node = Counted { left: &left }.deserialize(&mut deserializer);
        let node = node.and_then(|node| deserializer.end().map(|()| node));
        node.map_err(|error| {
            Invalid::new(
                Code::Malformed,
                if error.is_data() && left.get() == 0 {
                    format!("has more than {max_values} values")
                } else {
                    format!("is no valid JSON: {error}")
                },
            )
        })
    }

    /// Returns a string.
    ///
    /// # Errors
    /// [`Code::WrongType`].
    pub fn text(&self) -> Result<&str, Invalid> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Invalid::new(Code::WrongType, "must be a string").got(self)),
        }
    }

    /// Returns a string that error messages must not repeat, such as a password.
    ///
    /// # Errors
    /// [`Code::WrongType`].
    pub fn secret(&self) -> Result<&str, Invalid> {
        self.text().map_err(|_| Invalid::new(Code::WrongType, "must be a string".to_owned()))
    }

    /// Returns a boolean.
    ///
    /// # Errors
    /// [`Code::WrongType`].
    pub fn boolean(&self) -> Result<bool, Invalid> {
        match self {
            Self::Bool(value) => Ok(*value),
            _ => Err(Invalid::new(Code::WrongType, "must be true or false").got(self)),
        }
    }

    /// Returns a whole number; `170.0` is one, as in JSON Schema.
    ///
    /// # Errors
    /// [`Code::WrongType`], also for a fraction or a number beyond 64 bits.
    pub fn whole(&self) -> Result<i64, Invalid> {
        let whole = match self {
            Self::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole_float)),
            _ => None,
        };
        whole.ok_or_else(|| Invalid::new(Code::WrongType, "must be a whole number").got(self))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only floats that are whole and below 2^53 get there")]
fn whole_float(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Formats a value for a message, shortened.
impl fmt::Display for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Array(_) => f.write_str("an array"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

/// Parses a value and counts all values in it, since each takes tens of bytes of memory even if its text is
/// short.
#[derive(Clone, Copy)]
struct Counted<'a> {
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = JsonValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<JsonValue, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = JsonValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<JsonValue, E> {
        Ok(JsonValue::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<JsonValue, E> {
        Ok(JsonValue::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<JsonValue, E> {
        Ok(JsonValue::Number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<JsonValue, E> {
        Ok(JsonValue::Number(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<JsonValue, E> {
        Ok(Number::from_f64(value).map_or(JsonValue::Null, JsonValue::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<JsonValue, E> {
        Ok(JsonValue::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<JsonValue, E> {
        Ok(JsonValue::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JsonValue, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(JsonValue::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<JsonValue, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = members.next_key()? {
            object.push((name, members.next_value_seed(self)?));
        }
        Ok(JsonValue::Object(object))
    }
}

/// Reads the members of an object and collects all violations with their JSON pointers.
pub struct ObjectReader<'a> {
    pointer: String,
    given: &'a [(String, JsonValue)],
    known: Vec<&'static str>,
    violations: Violations,
}

impl<'a> ObjectReader<'a> {
    /// Starts to read the object at a JSON pointer (`""` is the whole body).
    ///
    /// # Errors
    /// [`Code::WrongType`] if it is not an object.
    pub fn of(node: &'a JsonValue, pointer: &str) -> Result<Self, Vec<Violation>> {
        match node {
            JsonValue::Object(members) => Ok(Self {
                pointer: pointer.to_owned(),
                given: members,
                known: Vec::new(),
                violations: Violations::default(),
            }),
            other => Err(vec![Violation::at(
                pointer,
                Invalid::new(Code::WrongType, "must be an object").got(other),
            )]),
        }
    }

    /// Reads an optional member.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a JsonValue) -> Result<T, Invalid>,
    ) -> Checked<Option<T>> {
        let read = self.member(name).and_then(|node| node.map(read).transpose());
        self.check(name, read)
    }

    /// Reads a required member.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a JsonValue) -> Result<T, Invalid>,
    ) -> Checked<T> {
        let required = || Invalid::new(Code::Required, "is required");
        let read = self.member(name).and_then(|node| read(node.ok_or_else(required)?));
        self.check(name, read)
    }

    /// Reads a required member that is an object or array, given its pointer.
    pub fn nested<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a JsonValue, &str) -> Result<T, Vec<Violation>>,
    ) -> Checked<T> {
        let pointer = format!("{}/{name}", self.pointer);
        self.required(name, Ok).and_then(|node| self.violations.check_all(read(node, &pointer)))
    }

    /// Returns a member, which must not be repeated.
    fn member(&mut self, name: &'static str) -> Result<Option<&'a JsonValue>, Invalid> {
        self.known.push(name);
        let mut given = self.given.iter().filter(|(n, _)| n == name).map(|(_, node)| node);
        let node = given.next();
        match given.next() {
            Some(_) => Err(Invalid::new(Code::Repeated, "must not be given twice")),
            None => Ok(node),
        }
    }

    fn check<T>(&mut self, name: &str, read: Result<T, Invalid>) -> Checked<T> {
        self.violations.check(read.map_err(|invalid| {
            let name = name.replace('~', "~0").replace('/', "~1");
            Violation::at(format!("{}/{name}", self.pointer), invalid)
        }))
    }

    /// Returns the values, if there was no violation. Unknown members are violations, too.
    ///
    /// # Errors
    /// All violations.
    pub fn finish<C: AllChecked>(mut self, read: C) -> Result<C::Values, Vec<Violation>> {
        let mut unknown: Vec<&str> =
            self.given.iter().map(|(n, _)| n.as_str()).filter(|n| !self.known.contains(n)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        for name in unknown.into_iter().take(MAX_VIOLATIONS) {
            let detail = format!("is not known here; known are {}", self.known.join(", "));
            let unknown = Err::<(), _>(Invalid::new(Code::Unknown, detail));
            let _is_violation = self.check(name, unknown);
        }
        self.violations.finish(read)
    }
}

fn title(node: &JsonValue) -> Result<Title, Invalid> {
    Title::parse(node.text()?)
}

fn movie_format(node: &JsonValue) -> Result<MovieFormat, Invalid> {
    MovieFormat::parse(node.text()?)
}

fn length(node: &JsonValue) -> Result<Length, Invalid> {
    node.whole()?.try_into()
}

fn release_year(node: &JsonValue) -> Result<ReleaseYear, Invalid> {
    node.whole()?.try_into()
}

fn rating(node: &JsonValue) -> Result<Rating, Invalid> {
    node.whole()?.try_into()
}

/// Reads the five required attributes of a movie from the object at a pointer.
///
/// # Errors
/// All violations.
pub fn attributes(node: &JsonValue, pointer: &str) -> Result<Attributes, Vec<Violation>> {
    let mut members = ObjectReader::of(node, pointer)?;
    let read = (
        members.required(Field::Title.as_str(), title),
        members.required(Field::MovieFormat.as_str(), movie_format),
        members.required(Field::Length.as_str(), length),
        members.required(Field::ReleaseYear.as_str(), release_year),
        members.required(Field::Rating.as_str(), rating),
    );
    let (title, movie_format, length, release_year, rating) = members.finish(read)?;
    Ok(Attributes { title, movie_format, length, release_year, rating })
}

/// Reads an update of any of the five attributes from the object at a pointer.
///
/// # Errors
/// All violations.
pub fn movie_patch(node: &JsonValue, pointer: &str) -> Result<MoviePatch, Vec<Violation>> {
    let mut members = ObjectReader::of(node, pointer)?;
    let read = (
        members.optional(Field::Title.as_str(), title),
        members.optional(Field::MovieFormat.as_str(), movie_format),
        members.optional(Field::Length.as_str(), length),
        members.optional(Field::ReleaseYear.as_str(), release_year),
        members.optional(Field::Rating.as_str(), rating),
    );
    let (title, movie_format, length, release_year, rating) = members.finish(read)?;
    Ok(MoviePatch { title, movie_format, length, release_year, rating })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Place;

    fn read(json: &str) -> Result<Attributes, Vec<Violation>> {
        attributes(&JsonValue::parse(json.as_bytes()).unwrap(), "")
    }

    #[test]
    fn every_violation_is_found_at_once_with_its_pointer() {
        let violations =
            read(r#"{"title":"","movieFormat":null,"length":"170","rating":4.5,"rating":3,"a/b~c":1}"#)
                .unwrap_err();
        let shown: Vec<String> = violations
            .iter()
            .map(|v| match &v.place {
                Place::Field(path) => format!("{path:?} {}", v.detail),
                Place::Option(name) => panic!("{name}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                r#""/title" must not be empty"#,
                r#""/movieFormat" must be a string, got null"#,
                r#""/length" must be a whole number, got "170""#,
                r#""/releaseYear" is required"#,
                r#""/rating" must not be given twice"#,
                r#""/a~1b~0c" is not known here; known are title, movieFormat, length, releaseYear, rating"#,
            ]
        );
    }

    #[test]
    fn a_number_without_a_fraction_is_a_whole_number() {
        let whole = |json: &str| JsonValue::parse(json.as_bytes()).unwrap().whole();
        assert_eq!(whole("170.0"), Ok(170));
        assert_eq!(whole("1.7e2"), Ok(170));
        assert_eq!(whole("-0.0"), Ok(0));
        for bad in ["170.5", "1e300", "18446744073709551616", "true", "[1]", "{}"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "{\"a\":1,}", "nul", "\"\\ud800\"", "1 2", "1e400", "NaN", "'a'", deep.as_str()]
        {
            assert!(JsonValue::parse(bad.as_bytes()).is_err(), "{bad:.20}");
        }
        assert!(JsonValue::parse(b"\"\xff\"").is_err());
    }
}
