//! Searches for a year or a format. A search covers only titles, so the page offers the filter that may be
//! meant.

use crate::{
    domain::{MovieFormat, ReleaseYear},
    format,
    http::{Shared, extract::query::Params, problem::Problem, web::parts::address::Address},
    service::{Viewer, facets},
};

/// A filter that finds films for words of the search.
pub struct Offer {
    pub films: String,
    pub href: String,
}

/// The words of a search as filters.
#[derive(Debug, Default, PartialEq, Eq)]
struct Meaning {
    /// The range of release years, as in the URL and in words.
    years: Option<(String, String)>,
    format: Option<MovieFormat>,
    /// The other words.
    rest: String,
}

/// Returns the filter that the search may mean, if it finds films.
pub async fn of(state: &Shared, viewer: &Viewer, first: &Address) -> Result<Option<Offer>, Problem> {
    let Some(meaning) = Meaning::of(first.get("q")) else { return Ok(None) };
    let Some(address) = meaning.address(first) else { return Ok(None) };
    let Ok(uri) = address.to_string().parse() else { return Ok(None) };
    let filter = Params::of(&uri).filter();
    let films = facets::facets(&state.app, viewer, &filter).await?.movies;
    Ok((films > 0).then(|| Offer { films: meaning.in_words(films), href: address.to_string() }))
}

impl Meaning {
    fn of(search: &str) -> Option<Self> {
        let mut meaning = Self::default();
        let mut rest = Vec::new();
        for word in search.split_whitespace() {
            if meaning.years.is_none()
                && let Some(years) = years(word)
            {
                meaning.years = Some(years);
            } else if meaning.format.is_none()
                && let Some(format) = format(word)
            {
                meaning.format = Some(format);
            } else {
                rest.push(word);
            }
        }
        meaning.rest = rest.join(" ");
        (meaning.years.is_some() || meaning.format.is_some()).then_some(meaning)
    }

    /// Returns the list with these filters, unless it has other filters of the same kind.
    fn address(&self, first: &Address) -> Option<Address> {
        let taken = |name: &str, wanted: bool| wanted && !first.get(name).is_empty();
        if taken("releaseYear", self.years.is_some()) || taken("movieFormat", self.format.is_some()) {
            return None;
        }
        let mut address = if self.rest.is_empty() { first.without("q") } else { first.with("q", &self.rest) };
        if let Some((bounds, _)) = &self.years {
            address = address.with("releaseYear", bounds);
        }
        if let Some(format) = self.format {
            address = address.with("movieFormat", format.as_str());
        }
        Some(address)
    }

    fn in_words(&self, films: i64) -> String {
        let format = match self.format {
            Some(MovieFormat::Streaming) => " for streaming".to_owned(),
            Some(format) => format!(" on {}", format.as_str()),
            None => String::new(),
        };
        let years = self.years.as_ref().map(|(_, years)| format!(" of {years}")).unwrap_or_default();
        let rest = if self.rest.is_empty() { String::new() } else { format!(" for “{}”", self.rest) };
        format!("{}{format}{years}{rest}", format::films(films))
    }
}

/// Parses a year such as 1999 or a decade such as 1990s.
fn years(word: &str) -> Option<(String, String)> {
    let word = word.trim_matches(|c| c == '(' || c == ')');
    let (digits, is_decade) = word.strip_suffix('s').map_or((word, false), |digits| (digits, true));
    let year: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    if !(ReleaseYear::MIN..=ReleaseYear::MAX).contains(&year) {
        return None;
    }
    match is_decade {
        false => Some((year.to_string(), year.to_string())),
        true if year % 10 == 0 => {
            Some((format!("{year}..{}", (year + 9).min(ReleaseYear::MAX)), format!("the {year}s")))
        }
        true => None,
    }
}

fn format(word: &str) -> Option<MovieFormat> {
    MovieFormat::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_or_a_format_among_the_words_is_offered_as_a_filter() {
        let offered = |search: &str, here: &str| {
            let meaning = Meaning::of(search)?;
            let address = meaning.address(&Address::of(&here.parse().unwrap()))?;
            Some((meaning.in_words(2), address.to_string()))
        };
        for (search, words, address) in [
            ("1999", "2 films of 1999", "/?releaseYear=1999"),
            ("1990s", "2 films of the 1990s", "/?releaseYear=1990..1999"),
            ("dvd", "2 films on DVD", "/?movieFormat=DVD"),
            ("Streaming 2100", "2 films for streaming of 2100", "/?releaseYear=2100&movieFormat=Streaming"),
            ("heat (1995)", "2 films of 1995 for “heat”", "/?q=heat&releaseYear=1995"),
            ("1984 1999", "2 films of 1984 for “1999”", "/?q=1999&releaseYear=1984"),
        ] {
            assert_eq!(offered(search, "/"), Some((words.to_owned(), address.to_owned())), "{search}");
        }
        for (search, here) in [
            ("heat", "/"),
            ("", "/"),
            ("1799", "/"),
            ("2101", "/"),
            ("1995s", "/"),
            ("01999", "/"),
            ("+199", "/"),
            ("1999", "/?releaseYear=1998"),
        ] {
            assert_eq!(offered(search, here), None, "{search} {here}");
        }
    }
}
