//! `Accept`: content negotiation (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, StatusCode, header};

use crate::{exchange::Format, http::problem::Problem};

/// Returns the list format that the client prefers.
pub fn list_format(headers: &HeaderMap) -> Result<Format, Problem> {
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    if accept.trim().is_empty() {
        return Ok(Format::Json);
    }
    let quality = |format: Format| {
        let name = format.media_type().split(';').next().unwrap_or_default();
        let (group, _) = name.split_once('/').unwrap_or_default();
        // The most specific range counts: type with profile, type, group, everything.
        let ranges = split_outside_quotes(&accept, ',').filter_map(|range| {
            let mut parts = split_outside_quotes(range, ';').map(str::trim);
            let range = parts.next()?.to_ascii_lowercase();
            let mut specific = match range.split_once('/')? {
                _ if range == name => 3,
                (g, "*") if g == group => 2,
                ("*", "*") => 1,
                _ => return None,
            };
            let mut q = 1.0;
            for part in parts {
                let (parameter, value) = part.split_once('=').unwrap_or((part, ""));
                let value = value.trim().trim_matches('"');
                match parameter.trim().to_ascii_lowercase().as_str() {
                    "q" => q = value.parse::<f32>().ok()?,
                    "profile" if specific == 3 && format == Format::Spreadsheet => {
                        specific = value.eq_ignore_ascii_case("spreadsheet").then_some(4)?;
                    }
                    "profile" if specific == 3 && value.eq_ignore_ascii_case("spreadsheet") => return None,
                    _ => {}
                }
            }
            // The spreadsheet profile must be named.
            (format != Format::Spreadsheet || specific == 4).then_some((specific, q))
        });
        ranges.max_by(|a, b| a.0.cmp(&b.0)).map_or(0.0, |(_, q)| q)
    };
    // On a tie the first wins, which is JSON.
    let mut best = (Format::Json, 0.0);
    for format in [Format::Json, Format::Ndjson, Format::Csv, Format::Spreadsheet] {
        let q = quality(format);
        if q > best.1 {
            best = (format, q);
        }
    }
    if best.1 > 0.0 {
        return Ok(best.0);
    }
    Err(Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "the list is available as application/json, application/x-ndjson or text/csv",
    ))
}

/// Splits a header at delimiters outside of quoted strings.
fn split_outside_quotes(text: &str, delimiter: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '"' if !was_escaped => is_quoted = !is_quoted,
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            _ => {}
        }
        c == delimiter && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_list_comes_as_the_client_likes_it_best() {
        let format = |accept| list_format(&headers(header::ACCEPT, accept)).ok();
        assert_eq!(list_format(&HeaderMap::new()).ok(), Some(Format::Json));
        assert_eq!(format("*/*"), Some(Format::Json));
        assert_eq!(format("text/csv"), Some(Format::Csv));
        assert_eq!(format("TEXT/*"), Some(Format::Csv));
        assert_eq!(format("application/x-ndjson, application/json;q=0.9"), Some(Format::Ndjson));
        assert_eq!(format("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Format::Json));
        assert_eq!(format("application/json;q=0, */*;q=0.1"), Some(Format::Ndjson));
        assert_eq!(format("text/csv; profile=spreadsheet"), Some(Format::Spreadsheet));
        assert_eq!(
            format("text/csv;Profile=\"spreadsheet\";q=0.5, application/json;q=0.4"),
            Some(Format::Spreadsheet)
        );
        assert_eq!(format("text/csv;profile=spreadsheet, text/csv;q=0.9"), Some(Format::Spreadsheet));
        assert_eq!(format("text/csv; profile=\"a, b; c\", application/json;q=0.1"), Some(Format::Csv));
        assert_eq!(format("text/csv; header=present; Q=0.2, application/json;q=0.1"), Some(Format::Csv));
        assert_eq!(format("image/png"), None);
        assert_eq!(format("application/json;q=0"), None);
    }
}
