#include "compat/labels/crc32.h"

#include <gtest/gtest.h>

namespace aoe::labels {
namespace {

TEST(Crc32, HasTheCheckValueOfItsPolynomial) {
  EXPECT_EQ(crc32(as_byte_span("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32(as_byte_span("")), 0U);
}

TEST(Crc32, GoesOnFromThePartBefore) {
  EXPECT_EQ(crc32(as_byte_span("6789"), crc32(as_byte_span("12345"))), 0xCBF43926U);
}

}  // namespace
}  // namespace aoe::labels
