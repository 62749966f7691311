//! Common column names for our attributes. Error messages suggest them; they are not used unless the user
//! says so.

use super::record::Record;
use crate::domain::{Field, PerField, fold};

/// Names for each attribute, without case, accents, spaces and signs.
const NAMES: PerField<&[&str]> = PerField {
    title: &[
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
    movie_format: &[
        "format",
        "medium",
        "media",
        "mediatype",
        "binding",
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
    length: &[
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
    release_year: &[
        "year",
        "jahr",
        "annee",
        "ano",
        "anno",
        "rok",
        "ar",
        "productionyear",
        "yearreleased",
        "yearpublished",
        "yearofrelease",
        "movieyear",
        "filmyear",
        "erscheinungsjahr",
        "release",
        "releasedate",
        "anneedesortie",
        "anodeestreno",
        "annodiuscita",
        "produktionsjahr",
        "released",
    ],
    rating: &[
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
};

/// Returns a column that may have an attribute that the file lacks.
pub(super) fn column_for<'r>(field: Field, record: &'r Record) -> Option<&'r str> {
    if record.cells[field].is_some() {
        return None;
    }
    record.names.iter().find(|name| is_name_of(name, field)).map(String::as_str)
}

/// Returns the columns whose names suggest attributes, as values of `map`.
pub(super) fn likely_columns(names: &[String]) -> impl Iterator<Item = String> {
    let column = move |field: Field| {
        let name = names.iter().find(|name| is_name_of(name, field))?;
        Some(format!("{}:{name}", field.as_str()))
    };
    Field::ALL.into_iter().filter_map(column)
}

/// Returns whether a column name suggests an attribute. A part in parentheses, such as a unit, is ignored.
#[must_use]
pub fn is_name_of(column: &str, field: Field) -> bool {
    let plain = |name: &str| fold(name).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let is_name = |name: &str| {
        let name = plain(name);
        NAMES[field].contains(&name.as_str()) || name == field.as_str().to_ascii_lowercase()
    };
    is_name(column) || column.split(['(', '[']).next().is_some_and(is_name)
}
