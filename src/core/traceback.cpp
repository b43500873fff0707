// Prints the chain of coroutines that an exception crossed.
// SPDX-License-Identifier: MIT
#include "core/traceback.hpp"

#include <asyncio/exceptions.hpp>

#include "base/native_stack.hpp"
#include "core/chain.hpp"

#include <algorithm>
#include <string_view>
#include <typeinfo>

namespace asyncio::inline v0::detail {
namespace {

// What __builtin_source_location() points to; std::source_location keeps it private.
struct Location {
  const char* file;
  const char* function;
  unsigned line;
  unsigned column;
};
const Location& location(Where place) noexcept {
  return *reinterpret_cast<const Location*>(place);
}
const char* function_name(Where place) noexcept { return location(place).function; }
const char* file_name(Where place) noexcept { return location(place).file; }
int line_of(Where place) noexcept { return static_cast<int>(location(place).line); }

// Where the types begin: "f(int) [with T = int]", or "f(int) [T = int]" as clang writes it.
std::size_t types_in(const std::string& text) {
  constexpr std::string_view in_names =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:";
  std::size_t at = text.find(" [");
  for (; at != std::string::npos; at = text.find(" [", at + 1)) {
    if (text.compare(at, 7, " [with ") == 0) break;
    const std::size_t end = text.find_first_not_of(in_names, at + 2);
    if (end != std::string::npos && text.compare(end, 3, " = ") == 0) break;
  }
  return at;
}

// Drops the return type and the parameters from a signature: "asyncio::Coro<int> f<T>(int)" ->
// "f<T>".
std::string short_name(std::string text) {
  if (auto clone = text.find(" (."); clone != std::string::npos) text.resize(clone);
  if (auto types = types_in(text); types != std::string::npos) text.resize(types);
  // The parameter list is the last balanced pair of brackets at depth 0.
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] != ')') --end;
  if (end == 0) return text;
  int depth = 0;
  std::size_t open = end;
  while (open > 0) {
    --open;
    if (text[open] == ')') ++depth;
    if (text[open] == '(' && --depth == 0) break;
  }
  // A lambda's operator() is "f()::<lambda(int)>" in g++: keep what stands before.
  std::string head = text.substr(0, open);
  int angle = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '<' || head[i] == '(') ++angle;
    if (head[i] == '>' || head[i] == ')') --angle;
    if (head[i] == ' ' && angle == 0) begin = i + 1;
  }
  return head.substr(begin);
}

// g++ 12 names a coroutine's body "void f(f(int)::_Z1fi.Frame*)": the mangled name is between the
// last "::" and ".Frame".
std::string readable_function(const char* raw) {
  std::string text = raw ? raw : "?";
  const std::size_t frame = text.rfind(".Frame*)");
  if (frame != std::string::npos) {
    std::size_t begin = text.rfind("::", frame);
    begin = begin == std::string::npos ? 0 : begin + 2;
    std::string mangled = text.substr(begin, frame - begin);
    if (mangled.compare(0, 2, "_Z") == 0) return short_name(demangled(mangled.c_str()));
    // Not mangled: extern "C" or main-like.
    return mangled;
  }
  return short_name(text);
}

// The library's own coroutines are not what the user wrote.
bool is_internal(const FrameEntry& entry) {
  return entry.function.starts_with("asyncio::v0::") ||
         entry.function.starts_with("asyncio::detail::");  // as clang writes it
}

std::string without_inline_namespace(std::string text) {
  for (std::size_t at; (at = text.find("asyncio::v0::")) != std::string::npos;) {
    text.erase(at + 9, 4);
  }
  for (std::size_t at; (at = text.find("[abi:cxx11]")) != std::string::npos;) text.erase(at, 11);
  return text;
}

std::string type_name(const std::exception_ptr& error) {
  const std::type_info* type = error.__cxa_exception_type();
  if (!type) return "unknown exception";
  std::string name = without_inline_namespace(demangled(type->name()));
  // What std::throw_with_nested() makes of an E.
  for (const std::string_view wrapper : {"std::_Nested_exception<", "std::__1::__nested<"}) {
    if (name.starts_with(wrapper)) {
      return name.substr(wrapper.size(), name.rfind('>') - wrapper.size());
    }
  }
  return name;
}

// What std::throw_with_nested() has put into `error`, or null.
std::exception_ptr cause_of(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::nested_exception& nested) {
    return nested.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

void indent_into(std::string& out, std::string_view text, std::string_view margin) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += margin;
    out += text.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

void format_into(std::string& out, const std::exception_ptr& error, std::string_view margin) {
  if (const std::exception_ptr cause = cause_of(error)) {
    format_into(out, cause, margin);
    indent_into(out, "\nThe above exception was the direct cause of the following exception:\n\n",
                margin);
  }
  std::string text;
  if (const std::vector<FrameEntry> entries = chain_entries(error); !entries.empty()) {
    text += "Traceback (most recent await last):\n" + lines_of(entries);
  }
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    text += "asyncio::ExceptionGroup: " + std::string(group.message()) + " (" +
            std::to_string(group.exceptions().size()) + " sub-exception" +
            (group.exceptions().size() == 1 ? ")" : "s)");
    indent_into(out, text, margin);
    const std::string deeper = std::string(margin) + "  | ";
    std::size_t number = 0;
    for (const std::exception_ptr& inner : group.exceptions()) {
      out += std::string(margin) + "  +---------------- " + std::to_string(++number) +
             " ----------------\n";
      format_into(out, inner, deeper);
    }
    out += std::string(margin) + "  +------------------------------------\n";
  } catch (...) {
    indent_into(out, text + describe(error), margin);
  }
}

}  // namespace

std::vector<FrameEntry> chain_entries(const std::exception_ptr& error) {
  std::vector<Where> places = chain_places(error);
  std::reverse(places.begin(), places.end());
  return entries_of(places);
}

std::vector<FrameEntry> entries_of(const std::vector<Where>& places) {
  std::vector<FrameEntry> entries;
  for (Where place : places) {
    FrameEntry entry{readable_function(function_name(place)), file_name(place), line_of(place)};
    if (is_internal(entry)) continue;
    entry.function = without_inline_namespace(std::move(entry.function));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string lines_of(const std::vector<FrameEntry>& entries) {
  std::string lines;
  for (const FrameEntry& entry : entries) {
    lines += "  File \"" + entry.file + "\", line " + std::to_string(entry.line) + ", in " +
             entry.function + "\n";
  }
  return lines;
}

std::string function_at(Where place) {
  return without_inline_namespace(readable_function(function_name(place)));
}

std::string describe(const std::exception_ptr& error) {
  if (!error) return "no exception";
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError& cancelled) {
    std::string text = type_name(error);
    if (!cancelled.message().empty()) text += ": " + std::string(cancelled.message());
    return text;
  } catch (const SystemExit& exit) {
    return type_name(error) + ": " + std::to_string(exit.code);
  } catch (const std::exception& known) {
    const char* const words = known.what();
    return type_name(error) + (words ? std::string(": ") + words : "");
  } catch (const std::string& text) {
    return "std::string: " + text;
  } catch (const char* text) {
    return text ? std::string("const char*: ") + text : "const char*";
  } catch (int number) {
    return "int: " + std::to_string(number);
  } catch (...) {
    return type_name(error);
  }
}

std::string format(const std::exception_ptr& error) {
  std::string out;
  if (error) format_into(out, error, "");
  return out;
}

bool carries(const std::exception_ptr& error, const std::exception_ptr& other) noexcept {
  for (std::exception_ptr at = error; at; at = cause_of(at)) {
    if (at == other) return true;
    const ExceptionGroup* const group = as_group(at);
    if (!group) continue;
    const auto& inner = group->exceptions();
    if (std::any_of(inner.begin(), inner.end(),
                    [&](const std::exception_ptr& part) { return carries(part, other); })) {
      return true;
    }
  }
  return false;
}

const ExceptionGroup* as_group(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return &group;  // lives on: `error` holds it
  } catch (...) {
    return nullptr;
  }
}

const CancelledError* as_cancellation(const std::exception_ptr& error) noexcept {
  // It is final, so that the exception's object is one.
  if (!error || *error.__cxa_exception_type() != typeid(CancelledError)) return nullptr;
  const CancelledError* cancelled;
  static_assert(sizeof cancelled == sizeof error);
  __builtin_memcpy(&cancelled, &error, sizeof cancelled);
  return cancelled;
}

bool is_exit(const std::exception_ptr& error) noexcept {
  if (!error) return false;
  const std::type_info& type = *error.__cxa_exception_type();
  return type == typeid(KeyboardInterrupt) || type == typeid(SystemExit);
}

}  // namespace asyncio::inline v0::detail
