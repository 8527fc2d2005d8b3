//! XML as a strict parser sees it: what XML 1.0 forbids and quick-xml lets through is refused as well.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// An element with what is in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// Its text, without the blanks that indent elements.
    pub(crate) text: String,
}

impl Element {
    /// The value of an attribute that must be there.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
    }

    /// All elements called `name` below this one.
    pub(crate) fn all(&self, name: &str) -> Vec<&Self> {
        let below = self.children.iter().flat_map(|child| child.all(name));
        self.children.iter().filter(|child| child.name == name).chain(below).collect()
    }
}

/// The root of a document; panics with what is wrong where it is not well-formed.
pub(crate) fn parse(text: &str) -> Element {
    let forbidden = text.chars().find(|c| !is_char(*c));
    assert_eq!(forbidden, None, "XML 1.0 forbids this character");
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>"), "{}", &text[..text.len().min(60)]);
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => open.last_mut().unwrap().children.push(element(&start)),
            Event::End(_) => {
                let mut closed = open.pop().unwrap();
                if !closed.children.is_empty() {
                    assert_eq!(closed.text.trim(), "", "text between the elements of <{}>", closed.name);
                    closed.text.clear();
                }
                open.last_mut().unwrap().children.push(closed);
            }
            Event::CData(data) => open.last_mut().unwrap().text.push_str(&data.decode().unwrap()),
            Event::Text(data) => {
                let data = data.decode().unwrap();
                assert!(!data.contains("]]>"), "]]> outside a CDATA section");
                open.last_mut().unwrap().text.push_str(&data);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("{other:?} has no place in a report"),
        }
    }
    let document = open.pop().unwrap();
    assert!(open.is_empty(), "an element is not closed");
    assert_eq!((document.children.len(), document.text.trim()), (1, ""), "a document has one root and nothing beside it");
    document.children.into_iter().next().unwrap()
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            assert!(!attribute.value.contains(&b'<'), "< in an attribute");
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned();
            assert!(value.chars().all(is_char), "a reference to a forbidden character");
            (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value)
        })
        .collect();
    let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
    Element { name, attributes, ..Element::default() }
}

/// `Char` of XML 1.0, fifth edition.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
