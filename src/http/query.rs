//! The query of an address, read parameter by parameter with every violation at once.

use axum::http::{StatusCode, Uri};

use super::problem::Problem;
use crate::domain::{Bounds, Cursor, Filter, Invalid, Limit, ListQuery, MovieFormat, Sort, Violation};

/// The parameters of a query.
pub struct Params {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    violations: Vec<Violation>,
}

impl Params {
    /// Reads the query of an address (WHATWG URL, `application/x-www-form-urlencoded`).
    pub fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, known: Vec::new(), violations: Vec::new() }
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
        if given.next().is_some() {
            self.violations.push(Violation::in_parameter(name, "must be given only once"));
            return None;
        }
        parse(value).map_err(|invalid| self.violations.push(Violation::in_parameter(name, invalid))).ok()
    }

    /// Reads a parameter that may be given any number of times.
    pub fn many<T>(
        &mut self,
        name: &'static str,
        mut parse: impl FnMut(&str) -> Result<T, Invalid>,
    ) -> Vec<T> {
        self.known.push(name);
        let mut values = Vec::new();
        for (_, value) in self.pairs.iter().filter(|(n, _)| n == name) {
            match parse(value) {
                Ok(value) => values.push(value),
                Err(invalid) => self.violations.push(Violation::in_parameter(name, invalid)),
            }
        }
        values
    }

    /// Reads the filters that list, statistics and random have in common.
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

    /// Reads the whole query of a list.
    pub fn list(&mut self) -> ListQuery {
        let filter = self.filter();
        let sort = self.one("sort", Sort::parse).unwrap_or_default();
        ListQuery {
            filter,
            limit: self.one("limit", Limit::parse),
            cursor: self.one("cursor", |text| Cursor::decode(text, &sort)),
            total: self.one("total", boolean).unwrap_or_default(),
            sort,
        }
    }

    /// Ends the reading: parameters that nobody asked for are violations too.
    pub fn finish(mut self) -> Result<(), Problem> {
        let mut unknown: Vec<&str> =
            self.pairs.iter().map(|(n, _)| n.as_str()).filter(|n| !self.known.contains(n)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        for name in unknown {
            let shown: String = name.chars().take(60).collect();
            self.violations
                .push(Violation::in_parameter(shown, format!("is not known here; known are {known}")));
        }
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(StatusCode::BAD_REQUEST, self.violations))
        }
    }
}

/// Reads `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Invalid> {
    text.parse().map_err(|_| Invalid(format!("must be true or false, got {}", crate::domain::quoted(text))))
}
