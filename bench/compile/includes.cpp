// The limit of the compile row: the standard headers that a program of this kind needs anyway.
// SPDX-License-Identifier: MIT
#include <chrono>
#include <coroutine>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

int main() { std::printf("hello\n"); }
