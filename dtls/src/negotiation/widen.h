// From the states that a step may end in to those of the step that has called it.
#pragma once

#include <utility>
#include <variant>

namespace sluice::dtls::handshake {

// Takes a state, or a variant of some, into the variant `Wide` that has them all.
template <class Wide>
constexpr auto kWiden = []<class States>(States states) {
  if constexpr (requires { std::variant_size<States>::value; }) {
    return std::visit([](auto& state) { return Wide(std::move(state)); }, states);
  } else {
    return Wide(std::move(states));
  }
};

}  // namespace sluice::dtls::handshake
