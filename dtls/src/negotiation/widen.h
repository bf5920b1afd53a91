// Converts the result of one step to the result of the step that called it.
#pragma once

#include <utility>
#include <variant>

namespace sluice::dtls::handshake {

// Converts a state, or a variant of states, to the variant `Wide`, which has all of them.
template <class Wide>
constexpr auto kWiden = []<class States>(States states) {
  if constexpr (requires { std::variant_size<States>::value; }) {
    return std::visit([](auto& state) { return Wide(std::move(state)); }, states);
  } else {
    return Wide(std::move(states));
  }
};

}  // namespace sluice::dtls::handshake
