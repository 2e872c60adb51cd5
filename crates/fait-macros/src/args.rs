//! The arguments of a macro: `name = "…"`, `starts`, `deprecated(since = "…")`, or one bare text.

use crate::problems::Problems;
use crate::words::{did_you_mean, listed};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Paren;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, parenthesized};

/// One argument.
pub(crate) struct Arg {
    /// Its name; none for a bare literal.
    name: Option<Ident>,
    value: Option<Expr>,
    /// What stands in parentheses behind the name.
    inside: Option<TokenStream>,
}

/// Arguments that take further ones in parentheses.
const WITH_ARGUMENTS: &[&str] = &["deprecated"];

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Lit) {
            return Ok(Arg {
                name: None,
                value: Some(input.parse()?),
                inside: None,
            });
        }
        let name = input.call(Ident::parse_any)?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Arg {
                name: Some(name),
                value: None,
                inside: None,
            });
        }
        if input.peek(Paren) && WITH_ARGUMENTS.iter().any(|known| name == known) {
            let inside;
            parenthesized!(inside in input);
            return Ok(Arg {
                name: Some(name),
                value: None,
                inside: Some(inside.parse()?),
            });
        }
        if !input.peek(Token![=]) {
            return Err(input.error(format!("write `{name} = …`")));
        }
        input.parse::<Token![=]>()?;
        Ok(Arg {
            name: Some(name),
            value: Some(input.parse()?),
            inside: None,
        })
    }
}

impl Arg {
    fn span(&self) -> Span {
        use syn::spanned::Spanned;
        match (&self.value, &self.name) {
            (Some(value), _) => value.span(),
            (None, Some(name)) => name.span(),
            (None, None) => Span::call_site(),
        }
    }

    fn name(&self) -> String {
        self.name.as_ref().map(Ident::to_string).unwrap_or_default()
    }
}

/// The arguments of one macro.
pub(crate) struct Args {
    /// The macro as users write it, for example `#[event]`.
    pub(crate) owner: &'static str,
    given: Vec<Arg>,
}

impl Args {
    /// Reads arguments; what is unknown or given twice is noted and left out.
    pub(crate) fn read(
        owner: &'static str,
        known: &[&str],
        tokens: TokenStream,
        problems: &mut Problems,
    ) -> Args {
        let mut args = Args {
            owner,
            given: vec![],
        };
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match input.parse() {
                    Ok(arg) => {
                        args.add(arg, known, problems);
                        if !input.is_empty() && !input.peek(Token![,]) {
                            problems.note(input.error("write `,` between two arguments"));
                        }
                    }
                    Err(e) => problems.note(e),
                }
                behind_comma(input)?;
            }
            Ok(())
        };
        if let Err(e) = read.parse2(tokens) {
            problems.note(e);
        }
        args
    }

    /// Reads the arguments of the attributes of one name, such as `#[event_set(…)]`.
    pub(crate) fn of_attributes(
        owner: &'static str,
        known: &[&str],
        attrs: &[Attribute],
        name: &str,
        problems: &mut Problems,
    ) -> Args {
        let mut args = Args {
            owner,
            given: vec![],
        };
        for attr in attrs.iter().filter(|a| a.path().is_ident(name)) {
            match &attr.meta {
                Meta::List(list) => {
                    let more = Args::read(owner, known, list.tokens.clone(), problems);
                    more.given
                        .into_iter()
                        .for_each(|arg| args.add(arg, known, problems));
                }
                other => problems.at(other, format!("write `#[{name}(…)]`")),
            }
        }
        args
    }

    fn add(&mut self, arg: Arg, known: &[&str], problems: &mut Problems) {
        let name = arg.name();
        let owner = self.owner;
        if let Some(ident) = &arg.name
            && !known.contains(&name.as_str())
        {
            let near = did_you_mean(&name, known);
            let known = listed(known);
            let it = if near.is_empty() { "; it" } else { " It" };
            let message =
                format!("`{name}` is not an argument of `{owner}`{near}{it} takes {known}");
            problems.at(ident, message);
        } else if arg.name.is_none() && !known.contains(&"") {
            let known = listed(known);
            problems.at_span(
                arg.span(),
                format!("give the value a name: `{owner}` takes {known}"),
            );
        } else if self.given.iter().any(|a| a.name() == name) {
            let what = if name.is_empty() {
                "the text".into()
            } else {
                format!("`{name}`")
            };
            problems.at_span(arg.span(), format!("{what} is given twice"));
        } else {
            self.given.push(arg);
        }
    }

    fn take(&mut self, name: &str) -> Option<Arg> {
        let at = self.given.iter().position(|a| a.name() == name)?;
        Some(self.given.remove(at))
    }

    /// `crate = "…"`; without it `::fait`.
    pub(crate) fn krate(&mut self, problems: &mut Problems) -> Path {
        let arg = self.take("crate");
        let given = arg
            .as_ref()
            .and_then(|arg| match arg.value.as_ref().map(ungrouped) {
                Some(Expr::Path(p)) if p.qself.is_none() => Some(p.path.clone()),
                Some(text) => literal(text)?.parse_with(Path::parse_mod_style).ok(),
                None => None,
            });
        if let (Some(arg), None) = (&arg, &given) {
            problems.at_span(arg.span(), "`crate` takes a path: `crate = \"fait_core\"`");
        }
        given.unwrap_or_else(|| syn::parse_quote!(::fait))
    }

    /// The bare text.
    pub(crate) fn bare(&mut self, problems: &mut Problems) -> Option<LitStr> {
        self.text("", problems)
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, problems: &mut Problems) -> Option<LitStr> {
        let arg = self.take(name)?;
        let text = arg.value.as_ref().and_then(literal);
        if text.is_none() {
            let wanted = if name.is_empty() {
                "write a text in quotes".to_string()
            } else {
                format!("`{name}` takes a text: `{name} = \"…\"`")
            };
            problems.at_span(arg.span(), wanted);
        }
        text
    }

    /// One text or several in brackets.
    pub(crate) fn texts(&mut self, name: &str, problems: &mut Problems) -> Vec<LitStr> {
        let Some(arg) = self.take(name) else {
            return vec![];
        };
        let mut out = vec![];
        for value in elements(&arg) {
            match literal(value) {
                Some(text) => out.push(text),
                None => problems.at(value, format!("`{name}` takes texts: `{name} = \"…\"`")),
            }
        }
        if arg.value.is_none() {
            problems.at_span(
                arg.span(),
                format!("`{name}` takes a text: `{name} = \"…\"`"),
            );
        }
        out
    }

    /// A text or the path of a text constant.
    pub(crate) fn words(&mut self, name: &str, problems: &mut Problems) -> Option<Expr> {
        let arg = self.take(name)?;
        let Some(value) = arg.value.clone() else {
            problems.at_span(
                arg.span(),
                format!("`{name}` takes a text: `{name} = \"…\"`"),
            );
            return None;
        };
        words(name, &value, problems)
    }

    /// One text or constant, or several in brackets.
    pub(crate) fn words_list(&mut self, name: &str, problems: &mut Problems) -> Vec<Expr> {
        let Some(arg) = self.take(name) else {
            return vec![];
        };
        if arg.value.is_none() {
            problems.at_span(
                arg.span(),
                format!("`{name}` takes texts: `{name} = \"…\"`"),
            );
        }
        elements(&arg)
            .into_iter()
            .filter_map(|v| words(name, v, problems))
            .collect()
    }

    /// A word that stands alone.
    pub(crate) fn flag(&mut self, name: &str, problems: &mut Problems) -> bool {
        let Some(arg) = self.take(name) else {
            return false;
        };
        if arg.value.is_some() {
            problems.at_span(
                arg.span(),
                format!("`{name}` stands alone, without a value"),
            );
        }
        true
    }

    /// A whole number from 1.
    pub(crate) fn number(&mut self, name: &str, problems: &mut Problems) -> Option<(u32, Span)> {
        let arg = self.take(name)?;
        let number = match arg.value.as_ref().map(ungrouped) {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Int(n), ..
            })) => n.base10_parse::<u32>().ok(),
            _ => None,
        };
        let number = number.filter(|n| *n > 0);
        if number.is_none() {
            let message = format!("`{name}` takes a whole number from 1: `{name} = 2`");
            problems.at_span(arg.span(), message);
        }
        number.map(|n| (n, arg.span()))
    }

    /// Further arguments in parentheses; with the place of the word before them.
    pub(crate) fn inside(
        &mut self,
        name: &str,
        owner: &'static str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<(Args, Span)> {
        let arg = self.take(name)?;
        let Some(inside) = arg.inside.clone() else {
            let known = listed(known);
            problems.at_span(arg.span(), format!("write `{name}(…)`; it takes {known}"));
            return None;
        };
        Some((Args::read(owner, known, inside, problems), arg.span()))
    }

    /// The path of a function.
    pub(crate) fn path(&mut self, name: &str, problems: &mut Problems) -> Option<Path> {
        let arg = self.take(name)?;
        match arg.value.as_ref().map(ungrouped) {
            Some(Expr::Path(p)) if p.qself.is_none() => Some(p.path.clone()),
            _ => {
                let message =
                    format!("`{name}` takes the path of a function: `{name} = my_function`");
                problems.at_span(arg.span(), message);
                None
            }
        }
    }
}

/// Goes behind the next comma, so that one mistake does not hide the other arguments.
fn behind_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>().map(|_| ())
}

/// The text, when an expression is one.
pub(crate) fn literal(value: &Expr) -> Option<LitStr> {
    match ungrouped(value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.clone()),
        _ => None,
    }
}

/// What `macro_rules!` wraps in an invisible group.
fn ungrouped(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

fn elements(arg: &Arg) -> Vec<&Expr> {
    match arg.value.as_ref().map(ungrouped) {
        Some(Expr::Array(array)) => array.elems.iter().collect(),
        Some(other) => vec![other],
        None => vec![],
    }
}

fn words(name: &str, value: &Expr, problems: &mut Problems) -> Option<Expr> {
    match ungrouped(value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(_), ..
        }) => Some(value.clone()),
        Expr::Path(p) if names_a_type(&p.path) => {
            let ty = p.path.to_token_stream();
            let message = format!(
                "`{name}` takes a text or a constant, and `{ty}` is named like a type; write \
                 `{name} = \"{ty}\"`"
            );
            problems.at(value, message);
            None
        }
        Expr::Path(_) => Some(value.clone()),
        _ => {
            problems.at(
                value,
                format!("`{name}` takes a text, `\"…\"`, or the path of a constant"),
            );
            None
        }
    }
}

fn names_a_type(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
    })
}

/// `Some(…)` or `None`, as tokens.
pub(crate) fn option(value: Option<&impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
