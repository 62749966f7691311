//! Content negotiation (RFC 9110, section 12.5.1) and conditional requests (section 13).

use axum::http::{HeaderMap, StatusCode, header};

use crate::{exchange::Format, http::problem::Problem, service::movies::Precondition};

/// The form in which the client would best like a list.
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
        // The most specific range counts: the type with its profile, the type itself, its group, everything.
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
            // Only who names the profile gets it.
            (format != Format::Spreadsheet || specific == 4).then_some((specific, q))
        });
        ranges.max_by(|a, b| a.0.cmp(&b.0)).map_or(0.0, |(_, q)| q)
    };
    // The first of equals: JSON, unless another is liked better.
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
        "the list can be had as application/json, application/x-ndjson or text/csv",
    ))
}

/// The parts of a header between delimiters that are not within a quoted string.
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

/// The entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` asks the movie's version to be.
pub fn if_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let Some(tags) = entity_tags(headers, &header::IF_MATCH)? else { return Ok(Precondition::None) };
    if tags.iter().any(|tag| tag.opaque == "*") {
        return Ok(Precondition::None);
    }
    // Strong comparison, character by character: a weak tag matches nothing, nor does one that is not
    // as we write it, such as "03".
    let version = |tag: &EntityTag| tag.opaque.parse().ok().filter(|v: &i64| v.to_string() == tag.opaque);
    Ok(Precondition::Versions(tags.iter().filter(|tag| !tag.weak).filter_map(version).collect()))
}

/// Whether `If-None-Match` names this version.
pub fn is_known(headers: &HeaderMap, version: i64) -> Result<bool, Problem> {
    let tags = entity_tags(headers, &header::IF_NONE_MATCH)?.unwrap_or_default();
    let version = version.to_string();
    Ok(tags.iter().any(|tag| tag.opaque == "*" || tag.opaque == version))
}

struct EntityTag {
    weak: bool,
    /// Without its quotation marks; `*` stands for any.
    opaque: String,
}

fn entity_tags(headers: &HeaderMap, name: &header::HeaderName) -> Result<Option<Vec<EntityTag>>, Problem> {
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let read = value.to_str().ok().and_then(|value| read_entity_tags(value, &mut tags));
        read.ok_or_else(|| {
            let detail = format!("{name} must be * or a list of entity tags, such as \"3\"");
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?;
    }
    Ok((!tags.is_empty()).then_some(tags))
}

/// Reads one header's list of entity tags (RFC 9110, section 8.8.3), in which commas may stand.
fn read_entity_tags(value: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    let mut rest = value.trim();
    if rest == "*" {
        tags.push(EntityTag { weak: false, opaque: rest.to_owned() });
        return Some(());
    }
    loop {
        let (weak, tag) = rest.strip_prefix("W/").map_or((false, rest), |tag| (true, tag));
        let (opaque, behind) = tag.strip_prefix('"')?.split_once('"')?;
        tags.push(EntityTag { weak, opaque: opaque.to_owned() });
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
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

    #[test]
    fn preconditions_compare_strongly_and_weakly() {
        let if_match = |value| if_match(&headers(header::IF_MATCH, value)).ok();
        assert_eq!(if_match("*"), Some(Precondition::None));
        assert_eq!(if_match("\"3\", \"4\""), Some(Precondition::Versions(vec![3, 4])));
        assert_eq!(if_match("W/\"3\""), Some(Precondition::Versions(vec![])));
        for foreign in ["\"abc\"", "\"03\"", "\"+3\"", "\"\""] {
            assert_eq!(if_match(foreign), Some(Precondition::Versions(vec![])), "{foreign}");
        }
        assert_eq!(if_match("\"a b,c\" ,\"3\""), Some(Precondition::Versions(vec![3])));
        for bad in ["3", "\"3", "3\"", "\"3\",", "\"3\" \"4\"", "*, \"3\"", ""] {
            assert_eq!(if_match(bad), None, "{bad}");
        }
        let known = |value| is_known(&headers(header::IF_NONE_MATCH, value), 3).ok();
        assert_eq!(known("W/\"3\""), Some(true));
        assert_eq!(known("\"2\""), Some(false));
        assert_eq!(known("*"), Some(true));
    }
}
