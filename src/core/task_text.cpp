// Names and messages, allocated only for the tasks that have them.
// SPDX-License-Identifier: MIT
#include "core/task_text.hpp"

#include <asyncio/detail/base/frame_pool.hpp>

#include <new>

namespace asyncio::inline v0::detail {
namespace {

// TaskState::name: an id shifted left by one, or a pointer to this with the low bit set. A block of
// the frame pool, like the task itself; the name's characters follow.
struct Text {
  std::uint64_t id;
  std::size_t name_size;
  std::string* message;

  char* name() noexcept { return reinterpret_cast<char*>(this + 1); }
  std::string_view name_view() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), name_size};
  }
};

Text* text_of(const TaskState& task) noexcept {
  return task.name & 1 ? reinterpret_cast<Text*>(task.name & ~std::uintptr_t{1}) : nullptr;
}

void free_text(Text* text) noexcept { frame_free(text, sizeof(Text) + text->name_size); }

// Replaces the task's text by one with this name and the old one's other parts.
Text& make_text(TaskState& task, std::string_view name) {
  Text* const before = text_of(task);
  void* const block = frame_allocate(sizeof(Text) + name.size());
  auto* const text = ::new (block) Text{before ? before->id : task.name >> 1, name.size(),
                                        before ? before->message : nullptr};
  name.copy(text->name(), name.size());
  if (before) free_text(before);
  task.name = reinterpret_cast<std::uintptr_t>(text) | 1;
  return *text;
}

}  // namespace

std::string task_name(const TaskState& task) {
  const Text* const text = text_of(task);
  if (text && text->name_size > 0) return std::string(text->name_view());
  return "Task-" + std::to_string(text ? text->id : task.name >> 1);
}

void set_task_name(TaskState& task, std::string_view name) {
  make_text(task, name);
}

void set_cancel_message(TaskState& task, std::string_view message) noexcept {
  try {
    Text* text = text_of(task);
    if (message.empty()) {
      if (text && text->message) text->message->clear();
      return;
    }
    if (!text) text = &make_text(task, {});
    if (text->message) *text->message = message;
    else text->message = new std::string(message);
  } catch (const std::bad_alloc&) {
  }
}

std::string_view cancel_message(const TaskState& task) noexcept {
  const Text* const text = text_of(task);
  return text && text->message ? std::string_view(*text->message) : std::string_view();
}

void drop_task_text(TaskState& task) noexcept {
  if (Text* const text = text_of(task)) {
    delete text->message;
    free_text(text);
  }
  task.name = 0;
}

}  // namespace asyncio::inline v0::detail
