//! The page on which files are imported.

use reqwest::Method;

use super::{HOSTILE, between, form, get_page, is_page, link, text};
use crate::{
    on_both,
    support::{Answer, Service},
};

type File<'a> = (&'a str, &'a [u8]);

/// The body that a browser makes of the form's fields, with a file or with none chosen (RFC 7578).
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

/// The numbers under the headings: added, changed, skipped, refused.
#[track_caller]
fn counts(page: &Answer) -> Vec<String> {
    let counts = between(&page.text, "<dl class=\"counts\">", "</dl>");
    assert_eq!(counts.len(), 1, "{page:?}");
    between(counts[0], "<dd>", "</dd>").into_iter().map(str::to_owned).collect()
}

/// The rows of the preview: what each becomes, and what is said about it.
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

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let fields = between(&page.text, &format!("<input type=\"hidden\" name=\"{name}\" value=\""), "\"");
    fields.first().map(|value| text(value)).unwrap_or_default()
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
            ("skipped", "2 skipped Heat 1995, DVD, 2 h 50, ★★★★★ is there already as movie 1: Heat"),
            ("added", "3 added Alien 1979, VHS, 1 h 57, ★★★★★"),
            ("refused", "4 refused length"),
        ];
        for ((becomes, said), row) in said.into_iter().zip(rows(&page)) {
            assert_eq!(row.0, becomes);
            assert!(row.1.starts_with(said), "{row:?}");
        }
        assert!(rows(&page)[2].1.ends_with("rating must be between 1 and 5, got 9"), "{page:?}");
        assert!(page.text.contains("Nothing is stored as long as rows are refused"), "{page:?}");
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
            (&[][..], ours.as_str(), ["0", "0", "1", "1"]),
            (&[("onDuplicate", "update")], &ours, ["0", "1", "0", "1"]),
            (&[("onDuplicate", "add"), ("titleTooLong", "truncate")], &ours, ["2", "0", "0", "0"]),
            (&[], CLZ, ["0", "0", "1", "2"]),
            (&[("default-rating", "3")], CLZ, ["1", "0", "1", "1"]),
            (&[("default-rating", "3"), ("default-length", "1 h 30"), ("medium", "Blu-ray"), ("mediumIs", "DVD")], CLZ, ["2", "0", "1", "0"]),
            (&[("default-rating", "3"), ("default-length", "90"), ("medium", "Blu-ray"), ("mediumIs", "")], CLZ, ["1", "0", "1", "1"]),
            (&[("source", "clz"), ("default-movieFormat", "VHS")], CLZ, ["0", "0", "1", "2"]),
            (
                &[
                    ("map-title", "Film"), ("map-releaseYear", "Jahr"), ("map-movieFormat", "Medium"),
                    ("default-length", "0"), ("default-rating", "3"),
                ],
                unknown,
                ["1", "0", "0", "0"],
            ),
        ] {
            let page = send(service, choices, file).await;
            is_page(&page, 200);
            assert_eq!(counts(&page), expected, "{choices:?}: {:?}", rows(&page));
            for (name, value) in choices.iter().filter(|(_, value)| !value.is_empty()) {
                let shown = [format!("value=\"{value}\" selected"), format!("name=\"{name}\" value=\"{value}\"")];
                assert!(shown.iter().any(|shown| page.text.contains(shown)), "{name}: {page:?}");
            }
        }
        // What the file needs is offered: the media that it has, the columns that it names.
        let page = send(service, &[], CLZ).await;
        assert_eq!(between(&page.text, "name=\"medium\" value=\"", "\""), ["Blu-ray"]);
        let reasons: Vec<&str> = between(between(&page.text, "class=\"violations\"", "</ul>")[0], "<bdi>", "<");
        assert_eq!(reasons.len(), 3, "{reasons:?}");
        assert_eq!(reasons[0], "The rating is missing: line 3");
        let page = send(service, &[], unknown).await;
        is_page(&page, 422);
        assert!(page.text.contains("names none of the columns") && !page.text.contains("map="), "{page:?}");
        assert!(page.text.contains("<details open>"), "{page:?}");
        for column in ["Film", "Jahr", "Medium"] {
            assert_eq!(page.text.matches(&format!("<option value=\"{column}\">")).count(), 5, "{page:?}");
        }
        // A choice that breaks a rule is told beside it, and kept.
        let page = send(service, &[("default-length", "long"), ("default-releaseYear", "1799")], CLZ).await;
        is_page(&page, 422);
        for (control, value) in [("default-length", "long"), ("default-releaseYear", "1799")] {
            assert!(page.text.contains(&format!("id=\"{control}-error\"")), "{page:?}");
            assert!(page.text.contains(&format!("name=\"{control}\" value=\"{value}\"")), "{page:?}");
        }
        assert_eq!(service.titles("/movie").await.len(), 1);
    }
}

on_both! {
    async fn an_import_that_is_aborted_shows_why_and_goes_on_with_the_same_file(service: &Service) {
        let import = [("do", "import")];
        let aborted = send(service, &import, CLZ).await;
        is_page(&aborted, 422);
        assert!(aborted.text.contains("Nothing was stored, since rows are refused"), "{aborted:?}");
        assert_eq!(counts(&aborted), ["1", "0", "0", "2"]);
        assert_eq!(service.titles("/movie").await, [""; 0]);

        // No file is chosen again: it goes along with the form.
        let (kept, name) = (hidden(&aborted, "kept"), hidden(&aborted, "keptName"));
        assert_eq!(name, "films.csv");
        let again = [("do", "import"), ("onError", "skip"), ("kept", kept.as_str()), ("keptName", name.as_str())];
        let done = send_as(service, "editor", &again, None).await;
        is_page(&done, 200);
        assert_eq!(counts(&done), ["1", "0", "0", "2"]);
        assert!(done.text.contains("<summary>Refused: 3</summary>"), "{done:?}");
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
        for hostile in HOSTILE.into_iter().chain(["\u{202e}kcab", &format!("a{}", "\u{301}".repeat(49))]) {
            let cell = format!("\"{}\"", hostile.replace('"', "\"\""));
            let file = format!("{HEADER},{cell}\n{cell},DVD,1,1990,1,\nHeat,{cell},{cell},1990,1,\n");
            for (what, status) in [("preview", 200), ("import", 422)] {
                let page = send_as(service, "editor", &[("do", what), ("default-length", hostile)], Some(("films.csv", file.as_bytes()))).await;
                is_page(&page, 422); // of the length
                let page = send_as(service, "editor", &[("do", what)], Some((&hostile.replace('"', "%22"), file.as_bytes()))).await;
                is_page(&page, status);
                assert_eq!(counts(&page), ["1", "0", "0", "1"]);
                if hostile.contains(['<', '"', '\'', '&']) {
                    assert!(!page.text.contains(hostile), "{page:?}");
                }
                for isolated in ["<b><bdi>", "Left aside: <bdi>", "<label for=\"medium-1\"><bdi>"] {
                    assert!(page.text.contains(isolated), "{isolated}: {page:?}");
                }
            }
        }
    }
}

on_both! {
    async fn a_file_of_the_wrong_kind_is_told_so(service: &Service) {
        for (name, bytes, why) in [
            ("films.xlsx", &b"PK\x03\x04 [Content_Types].xml xl/workbook.xml"[..], "is an Excel workbook; save it as CSV UTF-8"),
            ("letterboxd.zip", b"PK\x03\x04 watched.csv", "is a ZIP archive; unpack it"),
            ("poster.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text"),
            ("empty.csv", b"", "file is empty"),
            ("films.ndjson", b"\"\0", "is no text"),
            ("notes.txt", b"Dear diary,\ntoday I saw Heat.\n", "names none of the columns"),
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
        // A name says more than the first letter.
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
