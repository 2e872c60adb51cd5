//! `#[command]`: what is asked as a struct, which is also the form and the page.

use crate::args::{Args, literal, option};
use crate::problems::Problems;
use crate::record::{self, Helper, helper_words};
use crate::sentence::pieces;
use crate::unit::derives_of;
use crate::words::{documentation, first_and_rest, plain};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Field, ItemStruct, LitStr, Path};

const OWNER: &str = "#[command]";
const KNOWN: &[&str] = &[
    "by",
    "sees",
    "about",
    "button",
    "undone_by",
    "to",
    "starts",
    "name",
    "crate",
];
const FIELD: Helper = Helper {
    name: "field",
    instead: &[
        ("fields", "there is no `#[fields]`; write `#[field(fresh)]`"),
        ("fresh", "there is no `#[fresh]`; write `#[field(fresh)]`"),
        (
            "tag",
            "a command has no tags: its decision says in `boundary` what it is about",
        ),
    ],
};

/// The struct with its derives, and its `impl Command`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let sets = "for several commands derive `CommandSet`";
    let mut item = match record::read(OWNER, "a command", sets, item, &mut problems) {
        Ok(item) => item,
        Err(item) => {
            let errors = problems.into_tokens();
            return quote!(#item #errors);
        }
    };
    let mut args = Args::read(OWNER, KNOWN, args, &mut problems);
    let krate = args.krate(&mut problems);
    let title = title(&mut args, &item, &mut problems);
    let page = page(&mut args, &krate, &mut problems);
    let fields = fields(&mut item, &krate, &mut problems);
    let (derives, written) = derives_of(&krate, &item);
    let name = &item.ident;
    let errors = problems.into_tokens();
    quote! {
        #derives
        #item
        #written
        #[automatically_derived]
        impl #krate::command::Command for #name {
            #title
            #fields
            #page
        }
        #errors
    }
}

fn title(args: &mut Args, item: &ItemStruct, problems: &mut Problems) -> TokenStream {
    let ident = item.ident.unraw().to_string();
    let name = args.text("name", problems);
    if let Some(name) = name.as_ref().filter(|n| n.value().trim().is_empty()) {
        problems.at(name, "a command's name cannot be empty");
    }
    let name = name.unwrap_or_else(|| LitStr::new(&ident, item.ident.span()));
    let (title, doc) = first_and_rest(&documentation(&item.attrs));
    let title = if title.is_empty() {
        plain(&ident)
    } else {
        title
    };
    quote! {
        const NAME: &'static str = #name;
        const TITLE: &'static str = #title;
        const DOC: &'static str = #doc;
    }
}

fn page(args: &mut Args, krate: &Path, problems: &mut Problems) -> TokenStream {
    let by = args.words_list("by", problems);
    let sees = args.words("sees", problems);
    let about = args.words("about", problems);
    if let Some(text) = about.as_ref().and_then(literal)
        && let Err(message) = pieces(&text.value())
    {
        problems.at(&text, message);
    }
    let button = args.words("button", problems);
    let undone_by = args.words("undone_by", problems);
    let to = args.words("to", problems);
    let starts = args.flag("starts", problems);
    let [sees, about, button, undone_by, to] =
        [sees, about, button, undone_by, to].map(|value| option(value.as_ref()));
    quote! {
        const PAGE: #krate::command::Page = #krate::command::Page {
            by: &[#(#by),*],
            sees: #sees,
            about: #about,
            button: #button,
            undone_by: #undone_by,
            to: #to,
            starts: #starts,
        };
    }
}

/// `const FIELDS`; takes the `#[field]`s off the fields.
fn fields(item: &mut ItemStruct, krate: &Path, problems: &mut Problems) -> TokenStream {
    container(&item.attrs, problems);
    let fields: Vec<TokenStream> = item
        .fields
        .iter_mut()
        .filter_map(|f| field(f, krate, problems))
        .collect();
    quote! {
        const FIELDS: &'static [#krate::command::Field] = &[#(#fields),*];
    }
}

fn field(field: &mut Field, krate: &Path, problems: &mut Problems) -> Option<TokenStream> {
    let helpers = FIELD.take(&mut field.attrs, problems);
    let words = helpers
        .iter()
        .flat_map(|meta| helper_words(meta, &["fresh"], problems));
    let fresh = words.filter(|w| w == "fresh").count() > 0;
    let ident = field.ident.as_ref()?.unraw().to_string();
    let json = Json::read(&field.attrs, problems);
    if json.skipped {
        return None;
    }
    let (label, help) = first_and_rest(&documentation(&field.attrs));
    let label = if label.is_empty() {
        plain(&ident)
    } else {
        label
    };
    let name = json.name.unwrap_or(ident);
    let conditions = record::conditions(&field.attrs);
    Some(quote! {
        #conditions
        #krate::command::Field { name: #name, label: #label, help: #help, fresh: #fresh }
    })
}

/// What `#[serde(…)]` makes of a field in JSON, which the form must know.
#[derive(Default)]
struct Json {
    name: Option<String>,
    skipped: bool,
}

impl Json {
    fn read(attrs: &[Attribute], problems: &mut Problems) -> Json {
        let mut json = Json::default();
        let mut misfits = vec![];
        each_serde_word(attrs, |meta| {
            if meta.path.is_ident("rename") {
                if meta.input.peek(syn::token::Paren) {
                    misfits.push(meta.error("a command's field has one name: `rename = \"…\"`"));
                } else {
                    json.name = Some(meta.value()?.parse::<LitStr>()?.value());
                    return Ok(());
                }
            } else if meta.path.is_ident("skip") || meta.path.is_ident("skip_deserializing") {
                json.skipped = true;
            } else if meta.path.is_ident("flatten") {
                misfits.push(meta.error("a command's fields are its form; write them here"));
            }
            skip_value(&meta)
        });
        misfits.into_iter().for_each(|e| problems.note(e));
        json
    }
}

/// Notes what `#[serde(…)]` on the struct would hide from the form.
fn container(attrs: &[Attribute], problems: &mut Problems) {
    let mut misfits = vec![];
    each_serde_word(attrs, |meta| {
        if meta.path.is_ident("rename_all") {
            let message = "the form needs the names in JSON; write `#[serde(rename = \"…\")]` on \
                the fields";
            misfits.push(meta.error(message));
        }
        skip_value(&meta)
    });
    misfits.into_iter().for_each(|e| problems.note(e));
}

/// Visits the words of `#[serde(…)]`; what serde itself will refuse is left to serde.
fn each_serde_word(
    attrs: &[Attribute],
    mut visit: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|a| a.path().is_ident("serde")) {
        let _serde_says_it_better = attr.parse_nested_meta(&mut visit);
    }
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}
