// The cases of asio_sync.cpp, for the main() in asio_micro.cpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio.hpp>
#include <string>

// Runs the case and ends the process; comes back if it has no case of that name.
void run_sync(boost::asio::io_context& io, const std::string& name, long n);
