// aoe.hpp in a program of C++17: compiled with -std=c++17 and twice included.
#include "aoe/aoe.hpp"
#include "aoe/aoe.hpp"  // twice

extern "C" int use_aoe_from_cxx17();

extern "C" int use_aoe_from_cxx17() {
  libaoe::Device device;
  device.set_open_timeout(std::chrono::milliseconds(10));
  try {
    device.aio_flush([](int) {});
  } catch (const libaoe::Error& error) {
    return error.number();
  }
  return 0;
}
