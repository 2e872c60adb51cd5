//! `#[data]`, and the derives that it shares with `#[event]` and `#[command]`.

use crate::args::Args;
use crate::problems::Problems;
use crate::words::written;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, ItemStruct, Meta, Path, Token};

/// `#[data]`: the item with its derives.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let krate = Args::read("#[data]", &["crate"], args, &mut problems).krate(&mut problems);
    let parsed = syn::parse2::<Item>(item.clone());
    let attrs = match &parsed {
        Ok(Item::Struct(item)) => &item.attrs,
        Ok(Item::Enum(item)) => &item.attrs,
        _ => {
            problems.at(&item, "`#[data]` goes on a struct or an enum");
            let errors = problems.into_tokens();
            return quote!(#item #errors);
        }
    };
    let derives = derives(&krate, attrs);
    let errors = problems.into_tokens();
    quote!(#derives #item #errors)
}

/// The derives of everything that is stored or sent, without those that the user wrote below.
pub(crate) fn derives(krate: &Path, attrs: &[Attribute]) -> TokenStream {
    let (serde, schemars) = paths(krate);
    let mut ours = values();
    ours.push(("Serialize", quote!(#serde::Serialize)));
    ours.push(("Deserialize", quote!(#serde::Deserialize)));
    ours.push(("JsonSchema", quote!(#schemars::JsonSchema)));
    let derive = derive_missing(ours, attrs);
    let crate_of = |word: TokenStream, path: &TokenStream| {
        let user = word.to_string();
        let said = attrs
            .iter()
            .any(|a| a.path().is_ident(&user) && says_crate(a));
        let path = written(path);
        (!said).then(|| quote!(#[#word(crate = #path)]))
    };
    let serde = crate_of(quote!(serde), &serde);
    let schemars = crate_of(quote!(schemars), &schemars);
    quote!(#derive #serde #schemars)
}

/// The same for a struct that may be a unit. serde writes a unit as `null`, which is no body of a
/// command, and which no field could be added to later; so it is written as `{}`.
pub(crate) fn record_derives(krate: &Path, record: &ItemStruct) -> (TokenStream, TokenStream) {
    if !matches!(record.fields, Fields::Unit) {
        return (derives(krate, &record.attrs), TokenStream::new());
    }
    let (serde, schemars) = paths(krate);
    let theirs = derived(&record.attrs);
    let missing =
        |name: &str, code: TokenStream| (!theirs.iter().any(|t| t == name)).then_some(code);
    let (name, title) = (&record.ident, record.ident.unraw().to_string());
    let docs = record.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let (serde_crate, schemars_crate) = (written(&serde), written(&schemars));
    let serialize = missing(
        "Serialize",
        quote! {
            #[automatically_derived]
            impl #serde::Serialize for #name {
                fn serialize<S: #serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    #serde::Serialize::serialize(&Empty {}, serializer)
                }
            }
        },
    );
    let deserialize = missing(
        "Deserialize",
        quote! {
            #[automatically_derived]
            impl<'de> #serde::Deserialize<'de> for #name {
                fn deserialize<D: #serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    <Empty as #serde::Deserialize>::deserialize(deserializer).map(|Empty {}| #name)
                }
            }
        },
    );
    let schema = missing(
        "JsonSchema",
        quote! {
            #[automatically_derived]
            impl #schemars::JsonSchema for #name {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    <Empty as #schemars::JsonSchema>::schema_name()
                }
                fn json_schema(generator: &mut #schemars::SchemaGenerator) -> #schemars::Schema {
                    <Empty as #schemars::JsonSchema>::json_schema(generator)
                }
            }
        },
    );
    let impls = quote! {
        const _: () = {
            #(#docs)*
            #[derive(#serde::Serialize, #serde::Deserialize, #schemars::JsonSchema)]
            #[serde(crate = #serde_crate, rename = #title)]
            #[schemars(crate = #schemars_crate)]
            struct Empty {}
            #serialize
            #deserialize
            #schema
        };
    };
    (derive_missing(values(), &record.attrs), impls)
}

fn paths(krate: &Path) -> (TokenStream, TokenStream) {
    (
        quote!(#krate::reexport::serde),
        quote!(#krate::reexport::schemars),
    )
}

fn values() -> Vec<(&'static str, TokenStream)> {
    vec![
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
        ("PartialEq", quote!(::core::cmp::PartialEq)),
    ]
}

fn derive_missing(ours: Vec<(&str, TokenStream)>, attrs: &[Attribute]) -> TokenStream {
    let theirs = derived(attrs);
    let missing = ours
        .into_iter()
        .filter(|(name, _)| !theirs.iter().any(|t| t == name));
    let paths = missing.map(|(_, path)| path);
    quote!(#[derive(#(#paths),*)])
}

/// The names of the derives that stand in some attributes.
fn derived(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|a| a.path().is_ident("derive"));
    let paths = lists
        .filter_map(|a| {
            a.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
                .ok()
        })
        .flatten();
    paths
        .filter_map(|p| p.segments.last().map(|s| s.ident.to_string()))
        .collect()
}

fn says_crate(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else {
        return false;
    };
    let tokens = list.tokens.to_token_stream();
    tokens
        .into_iter()
        .any(|t| matches!(t, TokenTree::Ident(word) if word == "crate"))
}
