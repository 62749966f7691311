//! Columns that people give other names than ours. Nothing is taken from them unasked; errors name them.

use super::record::Record;
use crate::domain::{Field, fold};

/// Names for each attribute, in the order of [`Field::ALL`], without case, accents, blanks and signs.
const NAMES: [&[&str]; 5] = [
    &[
        "name",
        "film",
        "filmtitle",
        "movie",
        "movietitle",
        "titel",
        "titre",
        "titulo",
        "titolo",
        "originaltitle",
    ],
    &["format", "medium", "media", "mediatype", "type", "support", "formato", "supporto", "suporte"],
    &[
        "runtime",
        "runtimemins",
        "runningtime",
        "duration",
        "minutes",
        "min",
        "laufzeit",
        "dauer",
        "duree",
        "durata",
        "duracion",
        "duracao",
    ],
    &[
        "year",
        "jahr",
        "annee",
        "ano",
        "anno",
        "rok",
        "ar",
        "productionyear",
        "yearreleased",
        "erscheinungsjahr",
        "release",
        "releasedate",
        "released",
    ],
    &[
        "stars",
        "score",
        "myrating",
        "yourrating",
        "userrating",
        "bewertung",
        "note",
        "wertung",
        "voto",
        "nota",
        "puntuacion",
        "calificacion",
    ],
];

/// The column of a file that may hold an attribute for which the file has no column.
pub(super) fn column_for<'r>(field: Field, record: &'r Record) -> Option<&'r str> {
    if record.cells[field as usize].is_some() {
        return None;
    }
    let plain = |name: &str| fold(name).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let is_name = |name: &&String| {
        let name = plain(name);
        NAMES[field as usize].contains(&name.as_str()) || name == field.as_str().to_ascii_lowercase()
    };
    record.names.iter().find(is_name).map(String::as_str)
}
