//! `#[derive(Refusal)]`: the business reasons not to do what is asked, each with its sentence.

use crate::args::Args;
use crate::problems::Problems;
use crate::sentence::{Piece, pieces};
use crate::words::listed;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Field, Fields, Ident, Index, LitStr, Member, Meta, Path, Variant};

/// One reason.
struct Case {
    variant: Ident,
    sentence: LitStr,
    arm: TokenStream,
}

/// `impl Display`, `impl Error` and `impl Refusal`.
pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    let (owner, name) = ("#[refused]", "refused");
    let mut args = Args::of_attributes(owner, &["crate"], &input.attrs, name, &mut problems);
    let krate = args.krate(&mut problems);
    let code = match input.data {
        Data::Enum(data) if input.generics.params.is_empty() => {
            let cases = data
                .variants
                .iter()
                .filter_map(|v| case(v, &mut problems))
                .collect();
            Some(code(&input.ident, cases, data.variants.len(), &krate))
        }
        Data::Enum(_) => {
            problems.at(
                &input.generics,
                "a refusal has no type parameters or lifetimes",
            );
            None
        }
        _ => {
            let message = "a refusal is an enum: one variant for each reason";
            problems.at(&input.ident, message);
            None
        }
    };
    let errors = problems.into_tokens();
    quote!(#code #errors)
}

fn case(variant: &Variant, problems: &mut Problems) -> Option<Case> {
    let name = &variant.ident;
    let Some(attr) = variant.attrs.iter().find(|a| a.path().is_ident("refused")) else {
        let message = format!(
            "`{name}` has no sentence; write `#[refused(\"…\")]` above it: what the person is \
             told"
        );
        problems.at(name, message);
        return None;
    };
    if let Some(again) = variant
        .attrs
        .iter()
        .filter(|a| a.path().is_ident("refused"))
        .nth(1)
    {
        problems.at(again, format!("`{name}` already has a sentence"));
    }
    let tokens = match &attr.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        other => {
            problems.at(other, "write `#[refused(\"…\")]`: what the person is told");
            return None;
        }
    };
    let sentence = Args::read("#[refused]", &[""], tokens, problems).bare(problems)?;
    if sentence.value().trim().is_empty() {
        problems.at(
            &sentence,
            "the sentence is empty; it is what the person is told",
        );
    }
    match arm(variant, &sentence) {
        Ok(arm) => Some(Case {
            variant: name.clone(),
            sentence,
            arm,
        }),
        Err(message) => {
            problems.at(&sentence, message);
            None
        }
    }
}

/// The match arm that writes one case.
fn arm(variant: &Variant, sentence: &LitStr) -> Result<TokenStream, String> {
    let fields: Vec<(String, &Field)> = variant
        .fields
        .iter()
        .enumerate()
        .map(|(i, f)| {
            (
                f.ident
                    .as_ref()
                    .map_or(i.to_string(), |n| n.unraw().to_string()),
                f,
            )
        })
        .collect();
    let mut format = String::new();
    let mut values = vec![];
    let mut bound: Vec<(Member, Ident)> = vec![];
    for piece in pieces(&sentence.value())? {
        match piece {
            Piece::Text(text) => {
                format.push_str(&text.replace('{', "{{").replace('}', "}}"));
            }
            Piece::Hole { name, format: spec } => {
                let Some(at) = fields.iter().position(|(n, _)| *n == name) else {
                    return Err(no_field(&variant.ident, &name, &fields));
                };
                let field = fields[at].1;
                // A field that cannot be shown is then the compiler's place of the error.
                let place = Span::call_site().located_at(field.ty.span());
                let value = format_ident!("field_{}", name, span = place);
                let member = member(field, at);
                if !bound.iter().any(|(_, v)| *v == value) {
                    bound.push((member, value.clone()));
                }
                format.push_str(&if spec.is_empty() {
                    "{}".into()
                } else {
                    format!("{{:{spec}}}")
                });
                values.push(value);
            }
        }
    }
    let name = &variant.ident;
    let (members, names): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
    let format = LitStr::new(&format, sentence.span());
    let pattern = match &variant.fields {
        Fields::Unit => quote!(Self::#name),
        _ => quote!(Self::#name { #(#members: #names,)* .. }),
    };
    Ok(quote!(#pattern => ::core::write!(formatter, #format, #(#values),*),))
}

fn member(field: &Field, at: usize) -> Member {
    field
        .ident
        .clone()
        .map_or_else(|| Member::Unnamed(Index::from(at)), Member::Named)
}

fn no_field(variant: &Ident, name: &str, fields: &[(String, &Field)]) -> String {
    let names: Vec<&str> = fields.iter().map(|(n, _)| n.as_str()).collect();
    match names.as_slice() {
        [] => format!("`{variant}` has no field `{name}`; it has no fields"),
        names => format!(
            "`{variant}` has no field `{name}`; it has {}",
            listed(names)
        ),
    }
}

fn code(name: &Ident, cases: Vec<Case>, variants: usize, krate: &Path) -> TokenStream {
    let codes: Vec<String> = cases
        .iter()
        .map(|c| c.variant.unraw().to_string())
        .collect();
    let arms = cases.iter().map(|c| &c.arm);
    let sentences = cases.iter().map(|c| &c.sentence);
    let names = cases.iter().map(|c| &c.variant);
    // Cases that could not be read are errors already; this keeps the match whole.
    let rest_of_text =
        (cases.len() < variants).then(|| quote!(_ => ::core::result::Result::Ok(()),));
    let rest_of_code = (cases.len() < variants).then(|| quote!(_ => "",));
    let (display, code) = if variants == 0 {
        (quote!(match *self {}), quote!(match *self {}))
    } else {
        (
            quote!(match self { #(#arms)* #rest_of_text }),
            quote!(match self { #(Self::#names { .. } => #codes,)* #rest_of_code }),
        )
    };
    let formatter = if variants == 0 {
        quote!(_)
    } else {
        quote!(formatter)
    };
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(
                &self,
                #formatter: &mut ::core::fmt::Formatter<'_>,
            ) -> ::core::fmt::Result {
                #display
            }
        }
        #[automatically_derived]
        impl ::std::error::Error for #name {}
        #[automatically_derived]
        impl #krate::decision::Refusal for #name {
            const CASES: &'static [(&'static str, &'static str)] = &[#((#codes, #sentences)),*];
            fn code(&self) -> &'static str {
                #code
            }
        }
    }
}
