// What holds for every decoder: it takes an encoding whole and nothing shorter or longer.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "support/bytes.h"

namespace sluice::test {

// `also_valid`: lengths at which a cut encoding is one of its own, as of a hello whose extensions
// are absent.
template <class Decode>
void expect_exact(dtls::Bytes encoding, Decode decode,
                  const std::set<std::size_t>& also_valid = {}) {
  EXPECT_TRUE(decode(copy_of(encoding))) << "the whole";
  for (std::size_t size = 0; size < encoding.size(); ++size) {
    const dtls::Buffer cut = copy_of(encoding.first(size));
    EXPECT_EQ(static_cast<bool>(decode(cut)), also_valid.contains(size)) << "cut to " << size;
  }
  dtls::Buffer longer = copy_of(encoding);
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode(longer)) << "a byte after it";
}

// Static decode() functions as what expect_exact takes.
template <class Message>
constexpr auto kDecode =
    [](const dtls::Buffer& bytes) { return Message::decode(bytes).has_value(); };

}  // namespace sluice::test
