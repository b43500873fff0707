// Names and messages, allocated only for the tasks that have them.
// SPDX-License-Identifier: MIT
#include "core/task_text.hpp"

#include <new>

namespace asyncio::inline v0::detail {
namespace {

// TaskState::name: an id shifted left by one, or a pointer to this with the low bit set.
struct Text {
  std::uint64_t id;
  std::string name;
  std::string message;
};

Text* text_of(const TaskState& task) noexcept {
  return task.name & 1 ? reinterpret_cast<Text*>(task.name & ~std::uintptr_t{1}) : nullptr;
}

Text& make_text(TaskState& task) {
  if (Text* const text = text_of(task)) return *text;
  auto* const text = new Text{task.name >> 1, {}, {}};
  task.name = reinterpret_cast<std::uintptr_t>(text) | 1;
  return *text;
}

}  // namespace

std::string task_name(const TaskState& task) {
  const Text* const text = text_of(task);
  if (text && !text->name.empty()) return text->name;
  return "Task-" + std::to_string(text ? text->id : task.name >> 1);
}

void set_task_name(TaskState& task, std::string_view name) {
  if (task.name == 0) task.name = (task.loop->tasks_made + 1) << 1;
  make_text(task).name = name;
}

void set_cancel_message(TaskState& task, std::string_view message) noexcept {
  try {
    make_text(task).message = message;
  } catch (const std::bad_alloc&) {
  }
}

std::string_view cancel_message(const TaskState& task) noexcept {
  const Text* const text = text_of(task);
  return text ? std::string_view(text->message) : std::string_view();
}

void drop_task_text(TaskState& task) noexcept {
  delete text_of(task);
  task.name = 0;
}

}  // namespace asyncio::inline v0::detail
