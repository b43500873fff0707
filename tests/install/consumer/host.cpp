// A program without asyncio that opens the plugin named by its argument.
// SPDX-License-Identifier: MIT
#include <dlfcn.h>

#include <cstdio>

int main(int, char** argv) {
  void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  auto answer = reinterpret_cast<int (*)()>(dlsym(plugin, "plugin_answer"));
  std::printf("answer %d\n", answer != nullptr ? answer() : -1);
}
