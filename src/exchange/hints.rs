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
        "filmtitel",
        "nom",
        "nombre",
        "nome",
        "pelicula",
        "filme",
    ],
    &[
        "format",
        "medium",
        "media",
        "mediatype",
        "type",
        "typ",
        "support",
        "formato",
        "supporto",
        "suporte",
        "soporte",
        "datentrager",
        "tragermedium",
        "medientyp",
    ],
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
        "lange",
        "spieldauer",
        "dauerinminuten",
        "laufzeitinminuten",
        "minuten",
        "minuti",
        "minutos",
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
        "anneedesortie",
        "anodeestreno",
        "annodiuscita",
        "produktionsjahr",
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
        "sterne",
        "etoiles",
        "estrellas",
        "stelle",
        "valutazione",
        "valoracion",
    ],
];

/// The column of a file that may hold an attribute for which the file has no column.
pub(super) fn column_for<'r>(field: Field, record: &'r Record) -> Option<&'r str> {
    if record.cells[field as usize].is_some() {
        return None;
    }
    record.names.iter().find(|name| is_name_of(name, field)).map(String::as_str)
}

/// Whether a column seems to hold an attribute, by its name alone. What is in parentheses behind it, such as a unit,
/// does not count.
pub(super) fn is_name_of(column: &str, field: Field) -> bool {
    let plain = |name: &str| fold(name).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let is_name = |name: &str| {
        let name = plain(name);
        NAMES[field as usize].contains(&name.as_str()) || name == field.as_str().to_ascii_lowercase()
    };
    is_name(column) || column.split(['(', '[']).next().is_some_and(is_name)
}
