// A thread with the smallest native stack that the library promises to need.
// SPDX-License-Identifier: MIT
#include "support/small_stack.hpp"

#include <asyncio/detail/base/frame_pool.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <pthread.h>

namespace asyncio::test {
namespace {

struct Job {
  void (*fn)();
  bool well = false;
};

void* start(void* argument) {
  Job& job = *static_cast<Job*>(argument);
  const std::ptrdiff_t before = detail::frames_in_use();
  try {
    job.fn();
    const std::ptrdiff_t left = detail::frames_in_use() - before;
    job.well = left == 0;
    if (!job.well) ADD_FAILURE() << left << " frames are left";
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  return nullptr;
}

}  // namespace

bool on_small_stack(void (*fn)()) {
  Job job{fn};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, small_stack);
  if (pthread_create(&thread, &attributes, &start, &job) != 0) std::abort();
  pthread_attr_destroy(&attributes);
  pthread_join(thread, nullptr);
  return job.well;
}

}  // namespace asyncio::test
