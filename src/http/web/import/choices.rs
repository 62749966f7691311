//! The choices of an import, as the form shows them and as the import takes them.

use std::collections::BTreeMap;

use crate::{
    domain::{Field, Invalid, MovieFormat, Rating},
    exchange::{Encoding, ImportOptions, OnDuplicate, OnError, Report, Source, TitleTooLong},
    http::web::{Form, words},
};

/// How many foreign media are offered at once.
const MOST_MEDIA: usize = 30;

/// What was chosen, as it was typed.
pub struct Choices {
    given: Form,
    /// The columns that the file names.
    pub columns: Vec<String>,
    /// Foreign media and the formats that were chosen for them.
    pub media: Vec<(String, String)>,
    /// What is wrong, by the name of the control.
    pub errors: BTreeMap<String, String>,
}

/// A list to choose from.
pub struct Select {
    pub name: String,
    pub label: String,
    pub options: Vec<SelectOption>,
}

pub struct SelectOption {
    pub value: String,
    pub label: String,
    pub on: bool,
}

impl Choices {
    pub fn of(form: &Form) -> Self {
        let given = |name: &'static str| {
            form.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.clone())
        };
        Self {
            media: given("medium").zip(given("mediumIs")).collect(),
            given: form.clone(),
            columns: Vec::new(),
            errors: BTreeMap::new(),
        }
    }

    /// The options of the import, or what is wrong.
    pub fn options(&self) -> Result<ImportOptions, BTreeMap<String, String>> {
        let mut errors = BTreeMap::new();
        let mut options = ImportOptions {
            source: self.word("source", Source::parse, &mut errors),
            encoding: self.word("encoding", |name| Encoding::parse(name).map(Some), &mut errors),
            on_duplicate: self.word("onDuplicate", OnDuplicate::parse, &mut errors),
            on_error: self.word("onError", OnError::parse, &mut errors),
            title_too_long: self.word("titleTooLong", TitleTooLong::parse, &mut errors),
            ..ImportOptions::default()
        };
        let mut add =
            |control: String, text: String, add: fn(&mut ImportOptions, &str) -> Result<(), Invalid>| {
                if let Err(invalid) = add(&mut options, &text) {
                    errors.insert(control, invalid.0);
                }
            };
        for field in Field::ALL {
            let name = field.as_str();
            if let Some(column) = self.column_of(field) {
                add(format!("map-{name}"), format!("{name}:{column}"), ImportOptions::add_column);
            }
            let control = format!("default-{name}");
            let value = self.given(&control).trim();
            if !value.is_empty() {
                add(control.clone(), format!("{name}:{value}"), ImportOptions::add_default);
            }
        }
        for (medium, format) in self.media.iter().filter(|(_, format)| !format.is_empty()) {
            add("medium".to_owned(), format!("{medium}:{format}"), ImportOptions::add_format);
        }
        if errors.is_empty() { Ok(options) } else { Err(errors) }
    }

    fn word<T: Default>(
        &self,
        name: &str,
        parse: fn(&str) -> Result<T, Invalid>,
        errors: &mut BTreeMap<String, String>,
    ) -> T {
        let text = self.given.get(name);
        if text.is_empty() {
            return T::default();
        }
        parse(text).unwrap_or_else(|invalid| {
            errors.insert(name.to_owned(), invalid.0);
            T::default()
        })
    }

    /// Takes in the foreign media that the report met, so that they can be given a format.
    pub fn meet(&mut self, report: &Report) {
        let of_format =
            report.errors.iter().filter(|error| error.field.as_deref() == Some(Field::MovieFormat.as_str()));
        for medium in of_format.filter_map(|error| error.value.as_deref()).map(str::trim) {
            let same = |(known, _): &(String, String)| known.to_lowercase() == medium.to_lowercase();
            if self.media.len() < MOST_MEDIA && !medium.is_empty() && !self.media.iter().any(same) {
                self.media.push((medium.to_owned(), String::new()));
            }
        }
    }

    /// What is wrong with a control.
    pub fn error(&self, control: &str) -> Option<&String> {
        self.errors.get(control)
    }

    /// What was typed.
    pub fn given(&self, name: &str) -> &str {
        self.given.get(name)
    }

    /// The column that was chosen for a field, unless that was one of the file before.
    fn column_of(&self, field: Field) -> Option<&str> {
        let chosen = self.given(&format!("map-{}", field.as_str()));
        self.columns.iter().map(String::as_str).find(|name| !name.is_empty() && *name == chosen)
    }

    /// The encoding that was chosen.
    pub fn encoding(&self) -> Option<Encoding> {
        Encoding::parse(self.given("encoding")).ok()
    }

    /// Whether a column was chosen for any field.
    pub fn maps(&self) -> bool {
        Field::ALL.into_iter().any(|field| self.column_of(field).is_some())
    }

    /// How the file is read and what becomes of its rows.
    pub fn rules(&self) -> [Select; 5] {
        [
            self.select(
                "source",
                "Written by",
                &[
                    ("auto", "whom its first line shows"),
                    ("reelshelf", "Reelshelf"),
                    ("letterboxd", "Letterboxd"),
                    ("imdb", "IMDb"),
                    ("movielens", "MovieLens"),
                    ("tellico", "Tellico"),
                    ("clz", "CLZ Movies"),
                    ("libib", "Libib"),
                ],
            ),
            self.select(
                "encoding",
                "Characters",
                &[
                    ("", "UTF-8, or UTF-16"),
                    ("windows-1252", "Windows, Western Europe (1252)"),
                    ("windows-1250", "Windows, Central Europe (1250)"),
                    ("windows-1251", "Windows, Cyrillic (1251)"),
                    ("windows-1253", "Windows, Greek (1253)"),
                    ("windows-1254", "Windows, Turkish (1254)"),
                    ("shift_jis", "Japanese (Shift_JIS)"),
                    ("gb18030", "Chinese (GB18030)"),
                ],
            ),
            self.select(
                "onDuplicate",
                "A film that is there already",
                &[
                    ("skip", "stays as it is"),
                    ("update", "becomes as in the file"),
                    ("add", "is added once more"),
                ],
            ),
            self.select(
                "titleTooLong",
                "A title of more than 50 characters",
                &[("error", "is refused"), ("truncate", "is cut, with an ellipsis")],
            ),
            self.select(
                "onError",
                "Where rows are refused",
                &[("abort", "nothing is stored"), ("skip", "the others are stored")],
            ),
        ]
    }

    fn select(&self, name: &str, label: &str, options: &[(&str, &str)]) -> Select {
        let given = self.given.get(name);
        let option = |(value, label): &(&str, &str)| SelectOption {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            on: *value == given,
        };
        Select {
            name: name.to_owned(),
            label: label.to_owned(),
            options: options.iter().map(option).collect(),
        }
    }

    /// What a film gets where the file says nothing, from a list.
    pub fn default_format(&self) -> Select {
        let formats =
            [MovieFormat::Vhs, MovieFormat::Dvd, MovieFormat::Streaming].map(|f| (f.as_str(), f.as_str()));
        self.select("default-movieFormat", "Format", &[&[REFUSED], &formats[..]].concat())
    }

    pub fn default_rating(&self) -> Select {
        let ratings: Vec<(String, String)> =
            (Rating::MIN..=Rating::MAX).rev().map(|n| (n.to_string(), words::stars(n))).collect();
        let ratings = ratings.iter().map(|(value, label)| (value.as_str(), label.as_str()));
        let options: Vec<(&str, &str)> = std::iter::once(REFUSED).chain(ratings).collect();
        self.select("default-rating", "Rating", &options)
    }

    /// Which column holds a field.
    pub fn columns_of(&self) -> Vec<Select> {
        let own = [("", "found by its name")];
        let columns: Vec<(&str, &str)> = self
            .columns
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| (name.as_str(), name.as_str()))
            .collect();
        let options = [&own[..], &columns].concat();
        let select = |field: Field| {
            self.select(&format!("map-{}", field.as_str()), field_in_words(field.as_str()), &options)
        };
        Field::ALL.map(select).into()
    }

    /// What each foreign medium becomes.
    pub fn media_are(&self) -> impl Iterator<Item = (&str, Select)> {
        let formats =
            [("", "is refused"), ("VHS", "is VHS"), ("DVD", "is DVD"), ("Streaming", "is Streaming")];
        self.media.iter().map(move |(medium, given)| {
            let option = |(value, label): (&str, &str)| SelectOption {
                value: value.to_owned(),
                label: label.to_owned(),
                on: value == given,
            };
            let options = formats.map(option).into();
            (medium.as_str(), Select { name: "mediumIs".to_owned(), label: String::new(), options })
        })
    }
}

/// Where nothing is chosen for what is missing.
const REFUSED: (&str, &str) = ("", "refuse the row");

/// A field as people call it.
pub fn field_in_words(field: &str) -> &str {
    match field {
        "movieFormat" => "format",
        "releaseYear" => "year",
        other => other,
    }
}
