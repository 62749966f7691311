//! Query parameters, with all violations at once.

use std::fmt::Display;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, Uri, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    documents::Choice,
    domain::{
        Bounds, ChangeId, Code, Cursor, Filter, Invalid, Limit, ListQuery, MovieFormat, MovieId, Sort,
        Violation, Violations,
    },
    http::{Shared, problem::Problem},
    limits::MAX_QUERY_PARAMETERS,
    service::Error,
};

/// A request without query parameters; any is a violation.
pub struct NoParams;

impl FromRequestParts<Shared> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Params::of(&parts.uri).finish().map(|()| Self)
    }
}

/// The parameters of a query.
pub struct Params {
    pairs: Vec<(String, String)>,
    too_many: bool,
    known: Vec<&'static str>,
    violations: Violations,
}

impl Params {
    /// Parses the query of a URL (WHATWG URL, `application/x-www-form-urlencoded`).
    pub fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let mut given = query.split('&').filter(|pair| !pair.is_empty());
        let mut pairs = Vec::new();
        let mut violations = Violations::default();
        for pair in given.by_ref().take(MAX_QUERY_PARAMETERS) {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { continue };
            if is_utf8(pair.as_bytes()) {
                pairs.push((name.into_owned(), value.into_owned()));
            } else {
                // Decoding invalid UTF-8 to replacement characters would search for another text.
                let shown: String = name.chars().take(60).collect();
                let rule = "must be UTF-8 when its percent signs are decoded";
                violations.push(Violation::in_option(shown, Invalid::new(Code::Malformed, rule)));
            }
        }
        Self { pairs, too_many: given.next().is_some(), known: Vec::new(), violations }
    }

    /// Reads a parameter that may be given once.
    pub fn one<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.known.push(name);
        let mut given = self.pairs.iter().filter(|(n, _)| n == name);
        let (_, value) = given.next()?;
        let read = match given.next() {
            Some(_) => Err(Invalid::new(Code::Repeated, "must be given only once")),
            None => parse(value),
        };
        self.violations.in_option(name, read).into_value()
    }

    /// Reads a parameter that may be repeated.
    pub fn many<T>(
        &mut self,
        name: &'static str,
        mut parse: impl FnMut(&str) -> Result<T, Invalid>,
    ) -> Vec<T> {
        self.known.push(name);
        let given = self.pairs.iter().filter(|(n, _)| n == name);
        given.filter_map(|(_, value)| self.violations.in_option(name, parse(value)).into_value()).collect()
    }

    /// Reads an option of an import, or its default.
    pub fn choice<C: Choice>(&mut self) -> C {
        self.one(C::NAME, C::parse).unwrap_or_default()
    }

    /// Reads the filters of list, statistics and random pick.
    pub fn filter(&mut self) -> Filter {
        let mut filter = Filter::default();
        self.one("q", |text| filter.search(text));
        filter.movie_formats = self.many("movieFormat", MovieFormat::parse);
        filter.movie_formats.sort_unstable();
        filter.movie_formats.dedup();
        filter.length = self.one("length", Bounds::of_length).unwrap_or_default();
        filter.release_year = self.one("releaseYear", Bounds::of_release_year).unwrap_or_default();
        filter.rating = self.one("rating", Bounds::of_rating).unwrap_or_default();
        filter
    }

    /// Reads the query of a movie list, with its default order.
    pub fn list(&mut self, default_sort: Sort) -> ListQuery {
        let filter = self.filter();
        let sort = self.one("sort", Sort::parse);
        let mut query = ListQuery {
            filter,
            sort,
            default_sort,
            limit: self.one("limit", Limit::parse),
            ..ListQuery::default()
        };
        query.cursor = self.one("cursor", |text| Cursor::decode(text, &query.order()));
        query.total = self.one("total", boolean).unwrap_or_default();
        query
    }

    /// Reads the query of a list of changes or effects, given the name of the list.
    pub fn page(&mut self, list: &str) -> PageQuery {
        PageQuery {
            limit: self.one("limit", Limit::parse).unwrap_or(Limit::DEFAULT),
            after: self.one("cursor", |text| PageQuery::decode(list, text)),
            total: self.one("total", boolean).unwrap_or_default(),
        }
    }

    /// Finishes reading; unknown parameters are violations, too.
    pub fn finish(mut self) -> Result<(), Problem> {
        if self.too_many {
            let detail = format!("the query has more than {MAX_QUERY_PARAMETERS} parameters");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        let mut unknown: Vec<&str> =
            self.pairs.iter().map(|(n, _)| n.as_str()).filter(|n| !self.known.contains(n)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let known = || if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        for name in unknown {
            let shown: String = name.chars().take(60).collect();
            self.violations.push(Violation::in_option(
                shown,
                Invalid::new(Code::Unknown, format!("is not known here; known are {}", known())),
            ));
        }
        let violations = |violations| Problem::invalid(StatusCode::BAD_REQUEST, violations);
        self.violations.finish(()).map_err(violations)
    }
}

/// Returns whether percent-encoded bytes are UTF-8.
pub(super) fn is_utf8(encoded: &[u8]) -> bool {
    let hex = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'%', [high, low, behind @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                decoded.extend(hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low));
                rest = behind;
            }
            _ => decoded.push(*first),
        }
    }
    str::from_utf8(&decoded).is_ok()
}

/// A page of changes or effects: its size and cursor.
pub struct PageQuery {
    pub limit: Limit,
    pub after: Option<i64>,
    pub total: bool,
}

impl PageQuery {
    /// The list of all changes.
    pub const CHANGES: &str = "changes";

    /// Names the list of the changes of a movie.
    pub fn changes_of(movie: MovieId) -> String {
        format!("changes of movie {movie}")
    }

    /// Names the list of the effects of a change.
    pub fn effects_of(change: ChangeId) -> String {
        format!("effects of change {change}")
    }

    /// Encodes the end of a page as an opaque cursor for URLs, which only this list accepts.
    pub fn encode(list: &str, place: impl Display) -> String {
        URL_SAFE_NO_PAD.encode(format!("{list} after {place}"))
    }

    fn decode(list: &str, text: &str) -> Result<i64, Invalid> {
        let place = URL_SAFE_NO_PAD.decode(text).ok().and_then(|text| String::from_utf8(text).ok());
        let place = place
            .as_deref()
            .and_then(|place| place.strip_prefix(list)?.strip_prefix(" after ")?.parse().ok());
        place.ok_or_else(|| {
            Invalid::new(Code::Malformed, "must be a cursor that this service gave for this list".to_owned())
        })
    }
}

/// Returns the `Link` to the next page: the same URL with this cursor (RFC 8288).
pub fn next_page(uri: &Uri, cursor: &str) -> Result<HeaderValue, Error> {
    let link = format!("<{}>; rel=\"next\"", with_cursor(uri, cursor));
    HeaderValue::try_from(link).map_err(|e| Error::Failed(e.to_string()))
}

/// Returns the same URL with this cursor.
pub fn with_cursor(uri: &Uri, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(given.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
    format!("{}?{}", uri.path(), query.finish())
}

/// Parses `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Invalid> {
    text.parse()
        .map_err(|_| Invalid::new(Code::Malformed, "must be true or false").got(crate::domain::quoted(text)))
}
