// get_stack and the printing of tracebacks: what an error or a waiting task says of itself.
// SPDX-License-Identifier: MIT
#include <asyncio/graph.hpp>

#include <asyncio/task.hpp>

#include "core/task_text.hpp"
#include "core/traceback.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace asyncio::inline v0 {
namespace detail {
namespace {

std::string stack_text(const TaskState& task, const std::vector<FrameEntry>& stack) {
  return "Stack for " + task_name(task) + " (most recent await last):\n" + lines_of(stack);
}

}  // namespace

std::vector<FrameEntry> TaskHandle::get_stack() const {
  const TaskState& self = task();
  if (self.is_done() || !self.resume_at) return {};
  std::vector<Where> places;  // innermost first
  const PromiseBase* frame = &PromiseBase::promise_of(self.resume_at);
  for (; frame; frame = frame->parent) {
    if (const Where place = frame->standing.place()) places.push_back(place);
  }
  std::reverse(places.begin(), places.end());
  return entries_of(places);
}

void TaskHandle::print_stack() const {
  const std::string text = stack_text(task(), get_stack());
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void TaskHandle::print_stack(std::ostream& out) const { out << stack_text(task(), get_stack()); }

}  // namespace detail

std::vector<FrameEntry> traceback(const std::exception_ptr& error) {
  return detail::chain_entries(error);
}

std::string format_exception(const std::exception_ptr& error) { return detail::format(error); }

void print_exception(const std::exception_ptr& error) {
  const std::string text = detail::format(error);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_exception(const std::exception_ptr& error, std::ostream& out) {
  out << detail::format(error);
}

}  // namespace asyncio::inline v0
