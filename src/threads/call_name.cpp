// Names a call by its symbol, or by the type of what is called.
// SPDX-License-Identifier: MIT
#include "threads/call_name.hpp"

#include "base/native_stack.hpp"
#include "core/traceback.hpp"

#include <string_view>
#include <vector>

namespace asyncio::inline v0::detail {
namespace {

// "f(int)" of "... new_call(...) [with Job = ...; F = f(int); Args = {}]", as g++ writes it, or of
// "... [Job = ..., F = ..., Args = <>]".
std::string type_in(std::string_view signature) {
  const std::size_t begin = signature.find(" F = ");
  if (begin == std::string_view::npos) return std::string(signature);
  const std::string_view rest = signature.substr(begin + 5);
  std::size_t end = 0;
  for (int depth = 0; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == '(' || c == '<' || c == '{' || c == '[') ++depth;
    else if (depth == 0 && (c == ';' || c == ',' || c == ']')) break;
    else if (c == ')' || c == '>' || c == '}' || c == ']') --depth;
  }
  return std::string(rest.substr(0, end));
}

}  // namespace

std::string in_words(const CallName& call) {
  std::string text = call.code ? symbol_at(call.code) : type_in(call.maker);
  text = "\n  " + text;
  if (!call.awaited_at) return text;
  // None where it is not a coroutine of the user's: create_task(to_thread(f)).
  if (const std::vector<FrameEntry> place = entries_of({call.awaited_at}); !place.empty()) {
    text += ", awaited at\n" + lines_of(place);
    text.pop_back();
  }
  return text;
}

}  // namespace asyncio::inline v0::detail
