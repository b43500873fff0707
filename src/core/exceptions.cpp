// The exceptions' compiled parts: what they say and how groups are split.
// SPDX-License-Identifier: MIT
#include <asyncio/exceptions.hpp>

#include "core/traceback.hpp"

#include <cerrno>

namespace asyncio::inline v0 {

CancelledError::CancelledError(std::string_view message) {
  if (!message.empty()) message_ = detail::Shared<std::string>::make(message);
}

std::string_view CancelledError::message() const noexcept {
  return message_ ? std::string_view(*message_) : std::string_view();
}

TimeoutError::TimeoutError() : std::system_error(ETIMEDOUT, std::generic_category()) {}
TimeoutError::TimeoutError(const std::string& what)
    : TimeoutError() {
  what_ = detail::Shared<std::string>::make(what);
}
// The system's words for the code, "Connection timed out", speak of what no timeout is about.
const char* TimeoutError::what() const noexcept {
  return what_ ? what_->c_str() : "the time limit has passed";
}

QueueEmpty::QueueEmpty()
    : std::runtime_error("get_nowait: the queue is empty; co_await get() waits for an item") {}
QueueFull::QueueFull()
    : std::runtime_error("put_nowait: the queue is full; co_await put() waits for room") {}
QueueShutDown::QueueShutDown() : std::runtime_error("the queue was shut down") {}

namespace {

std::string describe_group(std::string_view message,
                           const std::vector<std::exception_ptr>& exceptions) {
  if (exceptions.empty()) {
    throw std::invalid_argument("ExceptionGroup: needs at least one exception");
  }
  std::string text(message);
  text += " (" + std::to_string(exceptions.size()) + " sub-exception";
  text += exceptions.size() == 1 ? "): " : "s): ";
  for (const std::exception_ptr& error : exceptions) {
    if (!error) throw std::invalid_argument("ExceptionGroup: an exception_ptr is null");
    if (&error != &exceptions.front()) text += "; ";
    text += detail::describe(error);
  }
  return text;
}

}  // namespace

struct ExceptionGroup::Content {
  std::string message;
  std::vector<std::exception_ptr> exceptions;
};

ExceptionGroup::ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions)
    : std::runtime_error(describe_group(message, exceptions)),
      content_(detail::Shared<Content>::make(
          Content{std::string(message), std::move(exceptions)})) {}
ExceptionGroup::ExceptionGroup(const ExceptionGroup& other) noexcept = default;
ExceptionGroup& ExceptionGroup::operator=(const ExceptionGroup& other) noexcept = default;
ExceptionGroup::~ExceptionGroup() = default;

std::string_view ExceptionGroup::message() const noexcept { return content_->message; }

const std::vector<std::exception_ptr>& ExceptionGroup::exceptions() const noexcept {
  return content_->exceptions;
}

ExceptionGroup::Split ExceptionGroup::split_if(Matcher matcher, void* argument) const {
  std::vector<std::exception_ptr> matched;
  std::vector<std::exception_ptr> rest;
  for (const std::exception_ptr& error : exceptions()) {
    const ExceptionGroup* const group = detail::as_group(error);
    if ((!group || matcher.takes_groups) && matcher.matches(error, argument)) {
      matched.push_back(error);
    } else if (group) {
      Split inner = group->split_if(matcher, argument);
      if (inner.matched) matched.push_back(std::make_exception_ptr(*inner.matched));
      if (inner.rest) rest.push_back(std::make_exception_ptr(*inner.rest));
    } else {
      rest.push_back(error);
    }
  }
  Split parts;
  if (!matched.empty()) parts.matched.emplace(message(), std::move(matched));
  if (!rest.empty()) parts.rest.emplace(message(), std::move(rest));
  return parts;
}

}  // namespace asyncio::inline v0
