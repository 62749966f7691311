//! The import page.

use std::io::{Cursor, Write};

use reelshelf::documents::{Choice, OnDuplicate, OnError, Source, TitleTooLong};
use reqwest::Method;
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{HOSTILE, between, form, get_page, is_page, link, text};
use crate::{
    on_both,
    support::{Answer, Service, program::run_with},
};

type File<'a> = (&'a str, &'a [u8]);

/// Encodes the form with a file, or without one, like a browser (RFC 7578).
fn body(fields: &[(&str, &str)], file: Option<File>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--=_b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    let (name, bytes) = file.unwrap_or_default();
    let head = format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream");
    body.extend(format!("--=_b\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
    body.extend(bytes);
    body.extend(b"\r\n--=_b--\r\n");
    body
}

async fn send_as(service: &Service, name: &str, fields: &[(&str, &str)], file: Option<File<'_>>) -> Answer {
    let request = service.request_in(&service.session_of(name).await, Method::POST, "/import");
    let request =
        request.header("content-type", "multipart/form-data; boundary=\"=_b\"").header("accept", "text/html");
    Answer::of(request.body(body(fields, file))).await
}

async fn send(service: &Service, fields: &[(&str, &str)], file: &str) -> Answer {
    send_as(service, "editor", fields, Some(("films.csv", file.as_bytes()))).await
}

/// Returns the counts: added, changed, skipped, rejected.
#[track_caller]
fn counts(page: &Answer) -> Vec<String> {
    let counts = between(&page.text, "<dl class=\"counts\">", "</dl>");
    assert_eq!(counts.len(), 1, "{page:?}");
    between(counts[0], "<dd>", "</dd>").into_iter().map(str::to_owned).collect()
}

/// Returns the rows of the preview: result and remark.
fn rows(page: &Answer) -> Vec<(String, String)> {
    let rows = between(&page.text, "<caption>", "</table>");
    let row = |row: &str| {
        let said: Vec<&str> =
            row.split('>').skip(1).filter_map(|piece| Some(piece.split('<').next()?.trim())).collect();
        let said: Vec<&str> = said.into_iter().filter(|piece| !piece.is_empty()).collect();
        (
            between(row, "<th scope=\"row\">", "</th>")[0].to_owned(),
            text(&said.join(" ")).replace(" : ", ": "),
        )
    };
    rows.first()
        .map(|rows| between(rows, "<tr class=", "</tr>").into_iter().map(row).collect())
        .unwrap_or_default()
}

/// Returns the value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let fields = between(&page.text, &format!("<input type=\"hidden\" name=\"{name}\" value=\""), "\"");
    fields.first().map(|value| text(value)).unwrap_or_default()
}

/// Returns the choices of an option, from a list or buttons.
fn offered(page: &Answer, option: &str) -> Vec<String> {
    let lists = between(&page.text, &format!("<select id=\"{option}\" name=\"{option}\""), "</select>");
    let buttons = between(&page.text, &format!("<input type=\"radio\" name=\"{option}\""), ">");
    let values = lists.into_iter().chain(buttons).flat_map(|offered| between(offered, "value=\"", "\""));
    values.map(str::to_owned).collect()
}

/// Page, API description and help offer the same values of an option.
fn is_offered_everywhere<C: Choice>(page: &Answer, description: &Value, help: &str) {
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    let all = sorted(C::ALL.iter().map(|choice| choice.as_str().to_owned()).collect());
    assert_eq!(sorted(offered(page, C::NAME)), all, "{} of the page", C::NAME);
    let parameters = description["paths"]["/movie"]["post"]["parameters"].as_array().unwrap();
    let parameter = parameters.iter().find(|parameter| parameter["name"] == C::NAME).unwrap();
    let described = serde_json::from_value(parameter["schema"]["enum"].clone()).unwrap();
    assert_eq!(sorted(described), all, "{} of the description", C::NAME);
    let all_in_order = C::ALL.iter().map(|choice| choice.as_str()).collect::<Vec<_>>().join(", ");
    assert!(help.contains(&format!("[possible values: {all_in_order}]")), "{all_in_order}: {help}");
    for choice in C::ALL {
        assert!(C::parse(choice.as_str()) == Ok(*choice), "{}", choice.as_str());
    }
}

on_both! {
    async fn every_value_of_an_option_is_offered_wherever_files_are_imported(service: &Service) {
        let long = "x".repeat(51);
        let page = send(service, &[], &format!("{HEADER}\n{long},DVD,170,1995,5\n")).await;
        let description = serde_json::to_value(reelshelf::http::openapi()).unwrap();
        let help = run_with(&["import", "--help"], &[]).expect(0).out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" "); // lines end anywhere
        is_offered_everywhere::<Source>(&page, &description, &help);
        is_offered_everywhere::<OnDuplicate>(&page, &description, &help);
        is_offered_everywhere::<OnError>(&page, &description, &help);
        is_offered_everywhere::<TitleTooLong>(&page, &description, &help);
    }
}

const HEADER: &str = "title,movieFormat,length,releaseYear,rating";
const CLZ: &str = "Title,Movie Release Year,Running Time,Format,My Rating\n\
                   Heat,1995,170 mins,DVD,10\n\
                   \"Boot, Das\",1981,149 mins,VHS,0\n\
                   Brazil,1985,,Blu-ray,7\n";

on_both! {
    async fn the_preview_tells_what_each_row_becomes_and_stores_nothing(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 4).await;
        let file = format!("{HEADER}\nHeat,DVD,170,1995,5\nAlien,VHS,117,1979,5\nHeat,VHS,x,1995,9\n");
        let page = send(service, &[("do", "preview")], &file).await;
        is_page(&page, 200);
        assert_eq!(counts(&page), ["1", "0", "1", "1"]);
        let said = [
            ("skipped", "2 skipped Heat 1995, DVD, 2 h 50, ★★★★★ is there already as film 1"),
            ("new", "3 new Alien 1979, VHS, 1 h 57, ★★★★★"),
            ("rejected", "4 rejected Heat (1995) length"),
        ];
        for ((becomes, said), row) in said.into_iter().zip(rows(&page)) {
            assert_eq!(row.0, becomes);
            assert!(row.1.starts_with(said), "{row:?}");
        }
        assert!(rows(&page)[2].1.ends_with("rating must be between 1 and 5, got 9"), "{page:?}");
        assert!(page.text.contains(">Import 1 film</button>"), "{page:?}");
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        assert_eq!(service.get("/history").await.json().as_array().unwrap().len(), 1);
    }
}

on_both! {
    async fn each_choice_shows_its_effect_in_the_preview(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 4).await;
        let long = "x".repeat(51);
        let ours = format!("{HEADER}\nHeat,DVD,170,1995,5\n{long},DVD,1,1990,1\n");
        let unknown = "Film;Jahr;Medium\nStalker;1979;VHS\n";
        for (choices, file, expected) in [
            (&[][..], ours.as_str(), ["1", "0", "1", "0"]),
            (&[("titleTooLong", "error")], &ours, ["0", "0", "1", "1"]),
            (&[("onDuplicate", "update")], &ours, ["1", "1", "0", "0"]),
            // The answers are for new films: the length and the rating of the other one stay.
            (&[("onDuplicate", "update")], "title,releaseYear,movieFormat\nHeat,1995,DVD\nRonin,1998,DVD\n", ["1", "0", "1", "0"]),
            (&[("onDuplicate", "add"), ("titleTooLong", "truncate")], &ours, ["2", "0", "0", "0"]),
            // Every question has a default answer.
            (&[], CLZ, ["2", "0", "1", "0"]),
            (&[("default-rating", "")], CLZ, ["1", "0", "1", "1"]),
            (&[("default-rating", "5"), ("default-length", "")], CLZ, ["1", "0", "1", "1"]),
            (&[("default-length", "each"), ("each-length", "1 h 30"), ("medium", "Blu-ray"), ("mediumIs", "Streaming")], CLZ, ["2", "0", "1", "0"]),
            (&[("medium", "Blu-ray"), ("mediumIs", "")], CLZ, ["1", "0", "1", "1"]),
            (&[("source", "clz")], CLZ, ["2", "0", "1", "0"]),
            // Columns are guessed, unless the user selects them.
            (&[], unknown, ["1", "0", "0", "0"]),
            (
                &[
                    ("column", "Film"), ("columnIs", "title"), ("column", "Jahr"), ("columnIs", ""),
                    ("column", "Medium"), ("columnIs", "movieFormat"),
                ],
                unknown,
                ["0", "0", "0", "1"],
            ),
        ] {
            let page = send(service, choices, file).await;
            is_page(&page, 200);
            assert_eq!(counts(&page), expected, "{choices:?}: {:?}", rows(&page));
            for (name, value) in choices.iter().filter(|(_, value)| !value.is_empty()) {
                let shown = [
                    format!("value=\"{value}\" selected"),
                    format!("name=\"{name}\" value=\"{value}\" checked"),
                    format!("type=\"hidden\" name=\"{name}\" value=\"{value}\""),
                    format!("id=\"{name}\" name=\"{name}\" value=\"{value}\""),
                ];
                assert!(shown.iter().any(|shown| page.text.contains(shown)), "{name}: {page:?}");
            }
        }
        // The page offers the media and columns of the file.
        let page = send(service, &[("default-rating", ""), ("default-length", "")], CLZ).await;
        assert_eq!(between(&page.text, "name=\"medium\" value=\"", "\""), ["Blu-ray"]);
        assert!(text(&page.text).contains("This is from CLZ Movies: 3 films."), "{page:?}");
        let reasons: Vec<&str> = between(between(&page.text, "class=\"violations\"", "</ul>")[0], "<bdi>", "<");
        assert_eq!(reasons, ["The rating is missing: line 3", "The length is missing: line 4"]);
        // For an unknown file, the column of the title is asked for first.
        let page = send(service, &[], "x;y\n1;2\n3;4\n").await;
        is_page(&page, 200);
        assert!(page.text.contains("Which column is the title?") && page.text.contains("<bdi>1 · 3</bdi>"), "{page:?}");
        assert!(!page.text.contains("value=\"import\"") && !page.text.contains("role=\"alert\""), "{page:?}");
        let twice = [("column", "x"), ("columnIs", "title"), ("column", "y"), ("columnIs", "title")];
        let page = send(service, &twice, "x;y\n1;2\n").await;
        is_page(&page, 422);
        assert!(page.text.contains("Only one column can be the title."), "{page:?}");
        // The columns selected for one file do not apply to the next.
        assert_eq!(counts(&send(service, &twice, CLZ).await), ["2", "0", "1", "0"]);
        // An invalid value is shown with its violation.
        let page = send(service, &[("default-length", "each"), ("each-length", "long")], CLZ).await;
        is_page(&page, 422);
        assert!(page.text.contains("id=\"default-length-error\""), "{page:?}");
        assert!(page.text.contains("name=\"each-length\" value=\"long\""), "{page:?}");
        assert_eq!(service.titles("/movie").await.len(), 1);
    }
}

on_both! {
    async fn an_import_that_is_aborted_shows_why_and_goes_on_with_the_same_file(service: &Service) {
        let import = [("do", "import")];
        let left_out = [("onError", "abort"), ("default-rating", ""), ("medium", "Blu-ray"), ("mediumIs", "")];
        let aborted = send(service, &[&import[..], &left_out].concat(), CLZ).await;
        is_page(&aborted, 422);
        assert!(aborted.text.contains("Nothing was stored, since some rows cannot be imported"), "{aborted:?}");
        assert!(aborted.text.contains("disabled>Nothing to import</button>"), "{aborted:?}");
        assert_eq!(counts(&aborted), ["1", "0", "0", "2"]);
        assert_eq!(service.titles("/movie").await, [""; 0]);

        // The file need not be chosen again: it is sent along with the form.
        let (kept, name) = (hidden(&aborted, "kept"), hidden(&aborted, "keptName"));
        assert_eq!(name, "films.csv");
        let again = [("do", "import"), ("onError", "skip"), ("kept", kept.as_str()), ("keptName", name.as_str())];
        let again = [&again[..], &left_out[1..]].concat();
        let done = send_as(service, "editor", &again, None).await;
        is_page(&done, 200);
        assert_eq!(counts(&done), ["1", "0", "0", "2"]);
        assert!(done.text.contains("<summary>Rejected: 2 <span>"), "{done:?}");
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        let none = send_as(service, "editor", &import, None).await;
        is_page(&none, 422);
        assert!(none.text.contains("Choose a file first"), "{none:?}");
    }
}

on_both! {
    async fn what_was_imported_can_be_undone(service: &Service) {
        let done = send(service, &[("do", "import"), ("default-length", "1"), ("default-rating", "3"), ("default-movieFormat", "DVD")],
            "Name,Year,Letterboxd URI,Rating\nHeat,1995,https://boxd.it/1,5\nAlien,1979,https://boxd.it/2,\n").await;
        is_page(&done, 200);
        assert_eq!(counts(&done), ["2", "0", "0", "0"]);
        assert_eq!(service.titles("/movie?sort=title").await, ["Alien", "Heat"]);
        let change = hidden(&done, "change");
        assert_eq!((hidden(&done, "back"), link(&done, "Look at the films")), ("/import".into(), "/?sort=-createdAt".into()));
        let session = service.session_of("editor").await;
        let undone = form(service, "/undo", &[("change", &change), ("back", "/import")]).header("cookie", &session);
        let undone = Answer::of(undone).await;
        assert_eq!((undone.status, undone.header("location")), (303, "/import"), "{undone:?}");
        assert_eq!(service.titles("/movie").await, [""; 0]);
        let nothing = send(service, &[("do", "import")], &format!("{HEADER}\n")).await;
        is_page(&nothing, 200);
        assert!(nothing.text.contains("There was nothing to store") && !nothing.text.contains("/undo"), "{nothing:?}");
    }
}

on_both! {
    async fn the_page_says_what_it_updates_and_which_films_its_notes_are_about(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 4).await;
        let update = ("onDuplicate", "update");
        let page = send(service, &[update], &format!("{HEADER}\nHeat,dvd,170,1995,4.5\n")).await;
        assert!(page.text.contains(">Update 1 film</button>"), "{page:?}");
        let file = format!("{HEADER}\nHeat,dvd,170,1995,4.5\nAlien,VHS,117,1979,\"2,5\"\n");
        let page = send(service, &[update], &file).await;
        assert!(page.text.contains(">Import 1 film and update 1</button>"), "{page:?}");
        let lists: Vec<String> = between(&page.text, "<summary>", "</summary>").into_iter().map(text).collect();
        let said = |list: &str| lists.iter().any(|shown| shown.replace(['\u{2068}', '\u{2069}'], "").replace("<span>", "").replace("</span>", "").trim() == list);
        assert!(said("Numbers rounded: 2 Heat (1995), Alien (1979)") && said("Formats replaced: 1 Heat (1995)"), "{lists:?}");
        let skipped = send(service, &[], &format!("{HEADER}\nHeat,DVD,170,1995,5\n")).await;
        assert!(skipped.text.contains("Skipped: 1 "), "{skipped:?}");
    }
}

on_both! {
    async fn a_spreadsheet_in_windows_1252_with_ratings_up_to_10_is_read_at_once(service: &Service) {
        let file = b"Film;Format;L\xe4nge;Jahr;Bewertung\r\nAm\xe9lie;dvd;122;2001;9\r\nDer Himmel \xfcber Berlin;VHS;128;1987;7,5\r\n";
        let preview = send_as(service, "editor", &[], Some(("filme.csv", file))).await;
        is_page(&preview, 200);
        let told = text(&preview.text);
        assert!(told.contains("The file is not in UTF-8, so it is read as Windows, Western Europe (1252)."), "{told}");
        assert!(told.contains("Ratings of up to 10 become 1 to 5 stars."), "{told}");
        assert!(rows(&preview)[0].1.contains("Amélie 2001, DVD, 2 h 02, ★★★★★"), "{:?}", rows(&preview));
        // A chosen encoding is taken, and the next file is looked at anew.
        let chosen = send_as(service, "editor", &[("encoding", "windows-1251")], Some(("filme.csv", file))).await;
        assert!(rows(&chosen)[0].1.contains("Amйlie") && !chosen.text.contains("is not in UTF-8"), "{:?}", rows(&chosen));
        let done = send_as(service, "editor", &[("do", "import")], Some(("filme.csv", file))).await;
        assert!(text(&done.text).contains("so it was read as Windows, Western Europe (1252)."), "{done:?}");
        assert_eq!(service.titles("/movie").await, ["Amélie", "Der Himmel über Berlin"]);
        let ratings: Vec<Value> = service.get("/movie").await.json().as_array().unwrap().iter().map(|film| film["rating"].clone()).collect();
        assert_eq!(ratings, [5, 4]);
        let cyrillic = b"\xcd\xe0\xe7\xe2\xe0\xed\xe8\xe5;DVD\r\n\xd1\xf2\xe0\xeb\xea\xe5\xf0;DVD\r\n";
        let page = send_as(service, "editor", &[], Some(("films.csv", cyrillic))).await;
        assert!(page.text.contains("read as Windows, Cyrillic (1251)") && rows(&page)[0].1.contains("Сталкер"), "{page:?}");
        // One rating above 5 is rather a typing error, and one damaged character no other encoding.
        let damaged = [format!("{HEADER}\nAmélie,DVD,1,2001,9\nÜber,DVD,1,2001,4\n").as_bytes(), b"X\xff,DVD,1,2001,5\n"].concat();
        let page = send_as(service, "editor", &[], Some(("films.csv", &damaged))).await;
        assert_eq!(counts(&page), ["1", "0", "0", "2"]);
        assert!(!page.text.contains("is not in UTF-8, so"), "{page:?}");
    }
}

on_both! {
    async fn a_first_line_without_a_known_heading_is_shown_as_not_imported(service: &Service) {
        let told = "Line 1 (<bdi>Heat, DVD, 170</bdi>) is read as headings, and not as a film.";
        let page = send(service, &[], "Heat,DVD,170,1995,5\nAlien,VHS,117,1979,5\n").await;
        assert!(text(&page.text).contains(told), "{page:?}");
        for known in ["Film,Medium\nHeat,DVD\n", "Const,Title,Title Type\ntt1,Heat,movie\n"] {
            let page = send(service, &[], known).await;
            assert!(!page.text.contains("read as headings"), "{known}: {page:?}");
        }
        // A spreadsheet of one's own that shares two columns with CLZ.
        let file = "Book Id,Title,My Rating,Binding,Year Published\n1,Dune,5,DVD,1984\n";
        assert_eq!(rows(&send(service, &[], file).await)[0].1, "2 new Dune 1984, DVD, length unknown, ★★★★★");
    }
}

on_both! {
    async fn the_same_form_imports_once_however_often_it_is_sent(service: &Service) {
        let page = get_page(service, "/import").await;
        let (once, other) = (hidden(&page, "once"), hidden(&get_page(service, "/import").await, "once"));
        assert_ne!(once, other);
        let file = format!("{HEADER}\nHeat,DVD,170,1995,5\n");
        for (once, films) in [(&once, 1), (&once, 1), (&other, 2)] {
            let done = send(service, &[("do", "import"), ("onDuplicate", "add"), ("once", once)], &file).await;
            is_page(&done, 200);
            assert_eq!(counts(&done), ["1", "0", "0", "0"]);
            assert_eq!(service.titles("/movie").await.len(), films);
        }
    }
}

on_both! {
    async fn no_cell_breaks_out_of_the_page(service: &Service) {
        for hostile in HOSTILE.into_iter().chain(["\u{202b}kcab", &format!("a{}", "\u{301}".repeat(49))]) {
            let cell = format!("\"{}\"", hostile.replace('"', "\"\""));
            let file = format!("{HEADER},{cell}\n{cell},DVD,1,1990,1,\nHeat,{cell},{cell},1990,1,\n");
            let page = send_as(service, "editor", &[("default-length", hostile)], Some(("films.csv", file.as_bytes()))).await;
            is_page(&page, 422); // of the length
            let page = send_as(service, "editor", &[], Some((&hostile.replace('"', "%22"), file.as_bytes()))).await;
            is_page(&page, 200);
            assert_eq!(counts(&page), ["1", "0", "0", "1"]);
            if hostile.contains(['<', '"', '\'', '&']) {
                assert!(!page.text.contains(hostile), "{page:?}");
            }
            for isolated in ["<b><bdi>", "Columns not used: <bdi>", "<label for=\"medium-1\"><bdi>", "<label for=\"column-6\"><bdi>"] {
                assert!(page.text.contains(isolated), "{isolated}: {page:?}");
            }
        }
    }
}

on_both! {
    async fn a_file_of_the_wrong_kind_is_told_so(service: &Service) {
        for (name, bytes, why) in [
            ("films.xlsx", &archive(&[("xl/workbook.xml", ""), ("[Content_Types].xml", "")])[..], "is an Excel workbook; save it as CSV UTF-8 (in Excel: File, Save As)"),
            ("films.ods", &archive(&[("mimetype", ""), ("content.xml", "")]), "is an OpenDocument spreadsheet; save it as CSV (in LibreOffice: File, Save As, Text CSV)"),
            ("letterboxd.zip", b"PK\x03\x04 watched.csv", "The archive is damaged"),
            ("poster.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text"),
            ("empty.csv", b"", "file is empty"),
            ("films.ndjson", b"\"\0", "is no text"),
            ("open.csv", b"title\n\"Heat\n", "a quotation mark is not closed"),
        ] {
            for what in ["preview", "import"] {
                let page = send_as(service, "editor", &[("do", what)], Some((name, bytes))).await;
                is_page(&page, 422);
                assert!(text(&page.text).contains(why), "{name}: {page:?}");
            }
        }
        let heat = "{\"title\":\"Heat\",\"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\"rating\":5}\n";
        for name in ["films.ndjson", "films.jsonl", "FILMS.JSON", "films"] {
            let page = send_as(service, "editor", &[], Some((name, heat.as_bytes()))).await;
            is_page(&page, 200);
            assert_eq!(counts(&page), ["1", "0", "0", "0"], "{name}");
        }
        // The file name takes precedence over its first character.
        let braces = send(service, &[], &format!("{},{{x\n{{Heat,DVD,170,1995,5,\n", HEADER.replace("title", "{t,title"))).await;
        assert_eq!(counts(&braces), ["0", "0", "0", "1"], "{braces:?}");
    }
}

on_both! {
    async fn a_large_file_is_taken_but_not_kept_in_the_page(service: &Service) {
        let at = |size: usize| {
            let mut file = format!("{HEADER}\nHeat,DVD,170,1995,5\n");
            file.extend(std::iter::repeat_n('\n', size - file.len()));
            file
        };
        for (size, fields, kept) in
            [(256 * 1024, &[][..], true), (256 * 1024 + 1, &[], false), (1000, &[("fileStays", "yes")], false)]
        {
            let page = send(service, fields, &at(size)).await;
            is_page(&page, 200);
            assert_eq!(!hidden(&page, "kept").is_empty(), kept, "{size}");
            assert_eq!(page.text.contains("A browser forgets such a large file"), !kept && fields.is_empty(), "{size}");
        }
        let note = "x".repeat(1000);
        let large: Vec<String> = (0..5300).map(|n| format!("Film {n},DVD,90,2000,3,{note}\n")).collect();
        let large = format!("{HEADER},note\n{}", large.concat());
        assert!(large.len() > 5 << 20);
        let page = send(service, &[], &large).await;
        is_page(&page, 200);
        assert_eq!((counts(&page), rows(&page).len()), (["5,300", "0", "0", "0"].map(str::to_owned).into(), 100));
        let done = send(service, &[("do", "import")], &large).await;
        is_page(&done, 200);
        assert_eq!(service.get("/stats").await.json()["movies"], 5300);
        let fields = [("kept", "x".repeat((1 << 20) + 1))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        is_page(&send_as(service, "editor", &fields, None).await, 413);
    }
}

on_both! {
    async fn only_editors_of_this_site_import(service: &Service) {
        let file = format!("{HEADER}\nHeat,DVD,170,1995,5\n");
        let viewer = service.session_of("viewer").await;
        let page = Answer::of(service.request_in(&viewer, Method::GET, "/").header("accept", "text/html")).await;
        assert!(!page.text.contains("href=\"/import\""), "{page:?}");
        Answer::of(service.request_in(&viewer, Method::GET, "/import")).await.problem(403);
        let refused = send_as(service, "viewer", &[("do", "import")], Some(("films.csv", file.as_bytes()))).await;
        is_page(&refused, 403);
        let editor = service.session_of("editor").await;
        for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200)] {
            let request = service.request_in(&editor, Method::POST, "/import").header("sec-fetch-site", site);
            let request = request.header("content-type", "multipart/form-data; boundary=\"=_b\"");
            let answer = Answer::of(request.body(body(&[("do", "import")], Some(("films.csv", file.as_bytes()))))).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        for (media_type, sent, status) in [
            ("application/x-www-form-urlencoded", "do=import", 415),
            ("multipart/form-data", "", 400),
            ("multipart/form-data; boundary=x", "--x\r\nno", 400),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"kept\"\r\n\r\n!\r\n--x--", 400),
        ] {
            let request = service.request_in(&editor, Method::POST, "/import").header("content-type", media_type);
            Answer::of(request.body(sent)).await.problem(status);
        }
        get_page(service, &link(&get_page(service, "/").await, "Import")).await;
    }
}

/// Creates the archive of a Letterboxd account.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a file");
        archive.write_all(content.as_bytes()).expect("it is written");
    }
    archive.finish().expect("an archive").into_inner()
}

on_both! {
    async fn the_archive_of_a_letterboxd_account_is_taken_whole(service: &Service) {
        let file = archive(&[
            ("letterboxd/ratings.csv", "Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,Heat,1995,x,4.5\n"),
            ("letterboxd/watched.csv", "Date,Name,Year,Letterboxd URI\n2020-01-01,Alien,1979,y\n2020-01-01,Zodiac,,z\n"),
            ("letterboxd/watchlist.csv", "Date,Name,Year,Letterboxd URI\n2020-01-01,Brazil,1985,w\n"),
        ]);
        let send = async |fields: &[(&str, &str)]| send_as(service, "editor", fields, Some(("letterboxd.zip", &file))).await;
        let page = send(&[]).await;
        is_page(&page, 200);
        assert!(text(&page.text).contains("This is from Letterboxd: 3 films."), "{page:?}");
        for question in ["What are the films on?", "How long are the films?", "2 films have no rating. How good are they?", "1 film has no year. When did it come out?"] {
            assert!(page.text.contains(question), "{question}: {page:?}");
        }
        assert_eq!(counts(&page), ["2", "0", "0", "1"]);
        let row = rows(&page).into_iter().find(|(becomes, _)| becomes == "rejected").expect("a row");
        assert!(row.1.starts_with("watched.csv:3 rejected Zodiac year is missing"), "{row:?}");
        assert!(page.text.contains("The watchlist, films that you want to see, is left out."), "{page:?}");
        assert!(!send(&[("watchlist", "yes")]).await.text.contains("is left out"));
        let alone = archive(&[("watchlist.csv", "Date,Name,Year,Letterboxd URI\n2020-01-01,Brazil,1985,w\n")]);
        let page = send_as(service, "editor", &[], Some(("letterboxd.zip", &alone))).await;
        assert!(page.text.contains("is left out") && page.text.contains("name=\"watchlist\""), "{page:?}");
        let page = send_as(service, "editor", &[("watchlist", "yes")], Some(("letterboxd.zip", &alone))).await;
        assert_eq!(counts(&page), ["1", "0", "0", "0"]);
        assert_eq!(counts(&send(&[("watchlist", "yes"), ("default-releaseYear", "each"), ("each-releaseYear", "2007")]).await), ["4", "0", "0", "0"]);
        let done = send(&[("do", "import"), ("default-movieFormat", "VHS"), ("default-length", "each"), ("each-length", "90"), ("default-rating", "2")]).await;
        is_page(&done, 200);
        assert!(done.text.contains(">watched.csv:3<") && done.text.contains(">ratings.csv:2<"), "{done:?}");
        let films = service.get("/movie?sort=title").await.json();
        let of = |n: usize| [&films[n]["title"], &films[n]["movieFormat"], &films[n]["length"], &films[n]["rating"]].map(ToString::to_string);
        assert_eq!([of(0), of(1)], [["\"Alien\"", "\"VHS\"", "90", "2"], ["\"Heat\"", "\"VHS\"", "90", "5"]].map(|film| film.map(str::to_owned)));
        let bomb = archive(&[("watched.csv", &" ".repeat((32 << 20) + 1))]);
        let page = send_as(service, "editor", &[], Some(("bomb.zip", &bomb))).await;
        is_page(&page, 422);
        assert!(page.text.contains("The archive unpacks to more than 33554432 bytes."), "{page:?}");
    }
}
