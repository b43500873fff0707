// Reads a function's exception tables: call sites, actions and types.
// SPDX-License-Identifier: MIT
#include "base/handler_table.hpp"

#include <unwind.h>

#include <cstring>
#include <optional>

namespace asyncio::inline v0::detail {
namespace {

// How a pointer is written (DWARF, DW_EH_PE_*): the low half its size, the upper half what it is
// relative to.
namespace encoding {
constexpr unsigned char omitted = 0xff;
constexpr unsigned char indirect = 0x80;
constexpr unsigned char relative = 0x70;
constexpr unsigned char to_its_place = 0x10;
constexpr unsigned char size = 0x0f;
constexpr unsigned char absolute = 0x00;
constexpr unsigned char uleb = 0x01;
constexpr unsigned char udata4 = 0x03;
constexpr unsigned char udata8 = 0x04;
constexpr unsigned char sdata4 = 0x0b;
constexpr unsigned char sdata8 = 0x0c;
}  // namespace encoding

class Reader {
 public:
  explicit Reader(const unsigned char* at) noexcept : at_(at) {}

  const unsigned char* at() const noexcept { return at_; }
  bool understood() const noexcept { return understood_; }

  unsigned char byte() noexcept { return *at_++; }

  std::uintptr_t unsigned_number() noexcept { return number().bits; }

  std::intptr_t signed_number() noexcept {
    Number read = number();
    if (read.size < 64 && read.negative) read.bits |= ~std::uintptr_t{0} << read.size;
    return static_cast<std::intptr_t>(read.bits);
  }

  std::uintptr_t pointer(unsigned char how) noexcept {
    if (how == encoding::omitted) return 0;
    const auto place = reinterpret_cast<std::uintptr_t>(at_);
    std::uintptr_t value = 0;
    switch (how & encoding::size) {
      case encoding::absolute:
      case encoding::udata8:
      case encoding::sdata8: value = take<std::uint64_t>(); break;
      case encoding::udata4: value = take<std::uint32_t>(); break;
      case encoding::sdata4:
        value = static_cast<std::uintptr_t>(std::intptr_t{take<std::int32_t>()});
        break;
      case encoding::uleb: value = unsigned_number(); break;
      default: understood_ = false; return 0;
    }
    if (value == 0) return 0;
    if ((how & encoding::relative) == encoding::to_its_place) value += place;
    else if ((how & encoding::relative) != 0) understood_ = false;
    if (understood_ && (how & encoding::indirect)) {
      value = *reinterpret_cast<const std::uintptr_t*>(value);
    }
    return value;
  }

 private:
  // Seven bits to a byte, the lowest first; the last byte says whether a signed one is negative.
  struct Number {
    std::uintptr_t bits = 0;
    unsigned size = 0;
    bool negative = false;
  };
  Number number() noexcept {
    Number read;
    unsigned char next;
    do {
      next = byte();
      read.bits |= static_cast<std::uintptr_t>(next & 0x7f) << read.size;
      read.size += 7;
    } while (next & 0x80);
    read.negative = (next & 0x40) != 0;
    return read;
  }

  template <class T>
  T take() noexcept {
    T value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  const unsigned char* at_;
  bool understood_ = true;
};

struct Frame {
  std::uintptr_t pc;
  const unsigned char* table = nullptr;
  std::uintptr_t function = 0;
};

_Unwind_Reason_Code look_at_frame(_Unwind_Context* context, void* argument) {
  auto& wanted = *static_cast<Frame*>(argument);
  if (_Unwind_GetIP(context) != wanted.pc) return _URC_NO_REASON;
  wanted.table =
      reinterpret_cast<const unsigned char*>(_Unwind_GetLanguageSpecificData(context));
  wanted.function = _Unwind_GetRegionStart(context);
  return _URC_END_OF_STACK;
}

class Tables {
 public:
  explicit Tables(const Frame& frame) noexcept : reader_(frame.table), function_(frame.function) {
    const unsigned char pads_as = reader_.byte();
    pads_ = pads_as == encoding::omitted ? function_ : reader_.pointer(pads_as);
    types_as_ = reader_.byte();
    if (types_as_ != encoding::omitted) {
      const std::uintptr_t offset = reader_.unsigned_number();
      types_ = reader_.at() + offset;
    }
    sites_as_ = reader_.byte();
    const std::uintptr_t length = reader_.unsigned_number();
    actions_ = reader_.at() + length;
  }

  Handler handler(std::uintptr_t call, const std::type_info& type, void* object) noexcept {
    while (reader_.understood() && reader_.at() < actions_) {
      const std::uintptr_t start = reader_.pointer(sites_as_);
      const std::uintptr_t length = reader_.pointer(sites_as_);
      const std::uintptr_t pad = reader_.pointer(sites_as_);
      const std::uintptr_t action = reader_.unsigned_number();
      if (call < function_ + start) return {};
      if (call >= function_ + start + length) continue;
      if (pad == 0 || action == 0) return {};
      return among_actions(actions_ + action - 1, pads_ + pad, type, object);
    }
    return {};
  }

 private:
  Handler among_actions(const unsigned char* action, std::uintptr_t pad,
                        const std::type_info& type, void* object) noexcept {
    for (;;) {
      Reader reader(action);
      const std::intptr_t filter = reader.signed_number();
      const unsigned char* const link = reader.at();
      const std::intptr_t distance = reader.signed_number();
      if (filter < 0) return {};  // an exception specification
      if (filter > 0) {           // 0: a clean-up, which the handler's pad begins with
        const std::optional<const std::type_info*> caught = type_number(filter);
        if (!caught) return {};
        void* seen = object;
        if (catches(*caught, type, seen)) {
          return {pad, static_cast<std::uintptr_t>(filter), *caught};
        }
      }
      if (distance == 0) return {};
      action = link + distance;
    }
  }

  // Empty if the table cannot be read; null for `catch (...)`.
  std::optional<const std::type_info*> type_number(std::intptr_t filter) const noexcept {
    std::intptr_t size = 0;
    switch (types_as_ & encoding::size) {
      case encoding::udata4:
      case encoding::sdata4: size = 4; break;
      case encoding::absolute:
      case encoding::udata8:
      case encoding::sdata8: size = 8; break;
      default: return std::nullopt;
    }
    if (!types_) return std::nullopt;
    Reader reader(types_ - filter * size);
    const std::uintptr_t type = reader.pointer(types_as_);
    if (!reader.understood()) return std::nullopt;
    return reinterpret_cast<const std::type_info*>(type);
  }

  Reader reader_;
  std::uintptr_t function_;
  std::uintptr_t pads_ = 0;
  const unsigned char* types_ = nullptr;
  const unsigned char* actions_ = nullptr;
  unsigned char types_as_ = encoding::omitted;
  unsigned char sites_as_ = encoding::omitted;
};

}  // namespace

Handler find_handler(std::uintptr_t pc, const std::type_info& type, void* object) noexcept {
  Frame frame{pc};
  _Unwind_Backtrace(look_at_frame, &frame);
  if (!frame.table) return {};
  return Tables(frame).handler(pc - 1, type, object);
}

bool catches(const std::type_info* wanted, const std::type_info& type, void*& object) noexcept {
  if (!wanted) return true;
  if (type.__is_pointer_p()) object = *static_cast<void**>(object);
  return wanted->__do_catch(&type, &object, 1);
}

}  // namespace asyncio::inline v0::detail
